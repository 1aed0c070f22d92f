"""Functions as modules of PyTorch."""

from torch import nn


class Lambda(nn.Module):
    """A function of the batch, with modules that it uses."""

    def __init__(self, function, *modules):
        super().__init__()
        self.function = function
        self.inner = nn.ModuleList(modules)

    def forward(self, x):
        return self.function(x, *self.inner)
