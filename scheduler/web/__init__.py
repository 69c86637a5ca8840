"""The pages that people open: Voilà servers for the dashboard and the operations page, and JupyterLab."""
