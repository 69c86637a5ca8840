"""Warm kernels: one kernelspec `t3` whose kernels are forked from a process that has done the imports.

`install(home)` writes the kernelspec and `environment(home)` is how Jupyter's programs find it; from then on
papermill, Voilà and JupyterLab use it by its name. Nothing else needs to be called: `warm()` only lets the
imports begin earlier, and `cool()` ends the warm process before its owner ends."""

from scheduler.kernels.ownership import cool, warm
from scheduler.kernels.provisioner import ForkProvisioner
from scheduler.kernels.spec import NAME, environment, install

__all__ = ["NAME", "ForkProvisioner", "cool", "environment", "install", "warm"]
