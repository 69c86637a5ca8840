"""Where T3 runs as root, pages and JupyterLab run under accounts of their own: this makes them and switches to them."""
