"""The accounts under which pages and JupyterLab run where T3 runs as root: made, given their folders, and become."""
