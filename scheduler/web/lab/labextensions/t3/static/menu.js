// The menu T3. A container as webpack's module federation makes them: JupyterLab calls init() with the modules that it
// shares, then get(). Commands that run something type a `t3` command into a terminal, where everybody sees what is done.
(() => {
  "use strict";

  const DAY = "\\d{4}-\\d\\d-\\d\\d";
  let shared;

  async function use(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  function quoted(word) {
    return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  }

  function activate(app, mainMenu, notebooks, palette, modules) {
    const { IFrame, InputDialog, MainAreaWidget, Menu, URLExt, PageConfig } = modules;
    const { commands, shell } = app;
    const current = () => notebooks.currentWidget;
    const isOpen = () => current() !== null && current().context.path.endsWith(".ipynb");

    async function type(...words) {
      const terminal = await commands.execute("terminal:create-new");
      terminal.content.session.send({ type: "stdin", content: [`${words.map(quoted).join(" ")}\r`] });
    }

    async function ask(title, label, text, pattern) {
      const given = await InputDialog.getText({ title, label, text, pattern, okLabel: "Run" });
      const value = given.button.accept ? (given.value || "").trim() : null;
      return value !== null && new RegExp(`^(?:${pattern})$`).test(value) ? value : null;
    }

    function show(id, title, path, sandbox) {
      const frame = new IFrame({ sandbox });
      frame.url = URLExt.join(PageConfig.getBaseUrl(), path);
      const widget = new MainAreaWidget({ content: frame });
      widget.id = `t3-${id}-${Date.now()}`;
      widget.title.label = title;
      widget.title.closable = true;
      shell.add(widget, "main");
    }

    const yesterday = new Date(Date.now() - 864e5).toISOString().slice(0, 10);
    const entries = {
      "t3:dry-run": {
        label: "Dry Run of This Notebook…",
        isEnabled: isOpen,
        execute: async () => {
          const { context } = current();
          const label = "Business day, such as 2026-11-14. Empty: the latest.";
          const day = await ask(`Dry run of ${context.path.split("/").pop()}`, label, "", `(${DAY})?`);
          if (day === null) return;
          if (context.model.dirty) await context.save();
          await type("t3", "run", context.path, ...(day ? ["-p", "business_date", day] : []));
        },
      },
      "t3:diff": {
        label: "Diff of the Rules…",
        execute: async () => {
          const label = "Business day or days, such as 2026-11-01..2026-11-14";
          const days = await ask("What the rules in this folder would change", label, yesterday, `${DAY}(\\.\\.${DAY})?`);
          if (days !== null) await type("t3", "diff", days);
        },
      },
      "t3:executed": {
        label: "Executed Copy of the Last Run",
        isEnabled: isOpen,
        execute: () => {
          const { path } = current().context;
          const name = path.split("/").pop().replace(/\.ipynb$/, "");
          show("executed", `${name} (executed)`, `t3/executed?notebook=${encodeURIComponent(name)}`, ["allow-same-origin"]);
        },
      },
      "t3:dashboard": {
        label: "Dashboard",
        execute: () =>
          show("dashboard", "Dashboard", "voila/render/notebooks/5_dashboard.ipynb", [
            "allow-same-origin", "allow-scripts", "allow-downloads", "allow-popups",
          ]),
      },
      "t3:tables": {
        label: "Tables and Their Columns",
        execute: () => commands.execute("docmanager:open", { path: "docs/tables.md", factory: "Markdown Preview" }),
      },
      "t3:new": {
        label: "New Explore Notebook…",
        execute: async () => {
          const name = await ask("New notebook in notebooks/explore", "Name, such as slow_mondays", "", "[a-z][a-z0-9_]*");
          if (name !== null) await type("t3", "new", "explore", name);
        },
      },
    };

    const menu = new Menu({ commands });
    menu.id = "t3-menu";
    menu.title.label = "T3";
    for (const [id, options] of Object.entries(entries)) {
      if (id === "t3:executed" || id === "t3:new") menu.addItem({ type: "separator" });
      commands.addCommand(id, options);
      menu.addItem({ command: id });
      palette.addItem({ command: id, category: "T3" });
    }
    mainMenu.addMenu(menu, true, { rank: 900 });
    notebooks.currentChanged.connect(() => commands.notifyCommandChanged());
  }

  async function plugin() {
    const names = ["mainmenu", "notebook", "apputils", "coreutils"].map((name) => `@jupyterlab/${name}`);
    const [mainmenu, notebook, apputils, coreutils, widgets] = await Promise.all([...names, "@lumino/widgets"].map(use));
    const modules = { ...apputils, ...coreutils, Menu: widgets.Menu };
    return {
      id: "t3:menu",
      description: "The menu T3.",
      autoStart: true,
      requires: [mainmenu.IMainMenu, notebook.INotebookTracker, apputils.ICommandPalette],
      activate: (app, mainMenu, notebooks, palette) => activate(app, mainMenu, notebooks, palette, modules),
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB.t3 = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const found = await plugin();
      return () => ({ __esModule: true, default: found });
    },
  };
})();
