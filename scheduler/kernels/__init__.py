"""Warm kernels: one kernelspec `t3` whose kernels are forked from a process that has done the imports.

`install(home)` writes the kernelspec, and `environment(home)` gives the variables by which Jupyter's programs find it;
then papermill, Voilà and JupyterLab use it by its name. Nothing else needs to be called: `warm()` starts the imports
earlier, and `cool()` ends the warm process before its owner ends."""

from scheduler.kernels.ownership import cool, warm
from scheduler.kernels.provisioner import ForkProvisioner
from scheduler.kernels.spec import NAME, environment, install

__all__ = ["NAME", "ForkProvisioner", "cool", "environment", "install", "warm"]
