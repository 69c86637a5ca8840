"""JupyterLab as `t3 lab` serves it: its configuration, the menu T3, and the pages that the menu opens."""
