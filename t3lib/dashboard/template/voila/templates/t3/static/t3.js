// What the widgets cannot do themselves: replace the static HTML by the widgets without a visible jump, keep the address
// bar and the back button in step with the choices, and show when the connection is lost.
(() => {
  'use strict';
  const root = document.documentElement;
  const sign = document.querySelector('.t3-live-sign');
  const config = JSON.parse(document.getElementById('jupyter-config-data').textContent);
  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  window.voila_finish = window.voila_process = window.voila_heartbeat = () => {};

  const ready = () => {
    const live = document.querySelector('.t3-live');
    if (!live) return false;
    const drawn = [...live.querySelectorAll('.t3-chart')].every((chart) => chart.querySelector('svg') || !chart.offsetParent);
    return drawn && live.querySelector('.t3-heading .widget-html-content') && (!live.querySelector('.t3-controls') || live.querySelector('.t3-controls button'));
  };
  const say = (text, state) => {
    if (sign.textContent !== text) sign.textContent = text;
    sign.dataset.state = state;
  };

  const current = () => {
    if (document.querySelector('.t3-live .t3-error')) say('Not up to date', 'lost');
    else say('Live', 'live');
  };

  let shown = null;
  const follow = (live) => {
    const address = live.querySelector('.t3-address [data-query]');
    if (!address || address.dataset.query === shown) return;
    const query = address.dataset.query;
    const url = location.pathname + (query ? '?' + query : '');
    if (shown === null) history.replaceState(null, '', url);
    else if (location.search !== (query ? '?' + query : '')) history.pushState(null, '', url);
    shown = query;
  };
  let downloaded = '0';
  const download = (live) => {
    const link = live.querySelector('.t3-download a');
    if (!link || link.dataset.number === downloaded) return;
    downloaded = link.dataset.number;
    link.click();
  };
  const name = (live) => {
    live.querySelectorAll('button.widget-toggle-button').forEach((button) => {
      button.setAttribute('aria-pressed', button.classList.contains('mod-active'));
    });
    Object.entries({tabs: 'Page', range: 'Range', dates: 'Dates', paid: 'Payment', chips: 'Trucks'}).forEach(([kind, label]) => {
      const group = live.querySelector('.t3-' + kind);
      if (group && !group.getAttribute('aria-label')) {
        group.setAttribute('role', 'group');
        group.setAttribute('aria-label', label);
      }
    });
    const picks = live.classList.contains('t3-operations') ? ['Truck', 'State'] : ['Compare with', 'Place', 'Menu type'];
    live.querySelectorAll('.t3-pick select').forEach((input, n) => input.setAttribute('aria-label', picks[n]));
    live.querySelectorAll('.t3-dates input').forEach((input, n) => {
      input.setAttribute('aria-label', n ? 'To' : 'From');
      const [year, month, day] = input.value.split('-').map(Number);
      const shown = year ? day + ' ' + MONTHS[month - 1] + ' ' + year : '';
      if (input.parentElement.dataset.shown !== shown) input.parentElement.dataset.shown = shown;
    });
    live.querySelectorAll('.t3-chart [aria-label]:not([role])').forEach((chart) => chart.setAttribute('role', 'img'));
    live.querySelectorAll('.t3-typed, .t3-typed input, .t3-download a').forEach((node) => {
      node.setAttribute('aria-hidden', 'true');
      node.tabIndex = -1;
    });
  };
  // A form opens far above the link that requested it: scroll to it, and back when it closes.
  let form = '';
  let scrollBefore = null;
  const open = (live) => {
    const head = live.querySelector('.t3-request [data-form]');
    const now = head && head.offsetParent ? head.dataset.form : '';
    if (now === form) return;
    form = now;
    if (now) {
      head.focus({preventScroll: true});
      head.closest('.t3-request').scrollIntoView({block: 'start'});
    } else if (scrollBefore !== null) {
      window.scrollTo({top: scrollBefore});
      scrollBefore = null;
    }
  };
  // Copying the link and printing need no kernel: the address holds all choices.
  const share = () => {
    const bar = document.querySelector('.t3-live .t3-actions');
    if (!bar || bar.querySelector('.t3-here')) return;
    const add = (text, act) => {
      const button = document.createElement('button');
      button.className = 't3-action t3-here';
      button.textContent = text;
      button.addEventListener('click', () => act(button));
      bar.append(button);
    };
    add('Copy link', async (button) => {
      try {
        await navigator.clipboard.writeText(location.href);
        button.textContent = 'Copied';
      } catch (error) {
        button.textContent = 'Copy it from the address bar';
      }
      setTimeout(() => { button.textContent = 'Copy link'; }, 2000);
    });
    add('Print', () => window.print());
  };
  // A chart fills the free space of its card, which changes with the figures; ECharts redraws when the window resizes.
  const sized = new WeakSet();
  const sizes = new ResizeObserver((entries) => {
    const fits = ({target}) => {
      const [place, drawn] = [target, target.querySelector('svg')].map((node) => node && node.getBoundingClientRect());
      return !drawn || !place.height || (Math.abs(place.height - drawn.height) < 2 && Math.abs(place.width - drawn.width) < 2);
    };
    if (!entries.every(fits)) requestAnimationFrame(() => window.dispatchEvent(new Event('resize')));
  });
  const fit = (live) => live.querySelectorAll('.t3-chart').forEach((chart) => {
    if (sized.has(chart)) return;
    sized.add(chart);
    sizes.observe(chart);
  });
  const watch = new MutationObserver(() => {
    const live = document.querySelector('.t3-live');
    if (!live) return;
    if (!root.classList.contains('t3-ready') && ready()) {
      root.classList.add('t3-ready');
      current();
      performance.mark('t3-live');
    }
    follow(live);
    download(live);
    name(live);
    open(live);
    share();
    fit(live);
  });
  // Pages that could not be loaded reload at random moments, so that not all come at once.
  if (document.querySelector('#rendered_cells > .t3-error')) {
    say('Not up to date', 'lost');
    setTimeout(() => location.reload(), 10000 + 10000 * Math.random());
  }
  watch.observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'data-query']});

  // The kernel receives a choice as a query string, through a hidden text field.
  const choose = (query) => {
    const input = document.querySelector('.t3-typed input');
    if (!input) return false;
    input.value = query || ' ';
    input.dispatchEvent(new Event('input', {bubbles: true}));
    input.dispatchEvent(new Event('change', {bubbles: true}));
    return true;
  };
  window.addEventListener('popstate', () => {
    shown = location.search.replace(/^\?/, '');
    if (!choose(shown)) location.reload();
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-choice]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !choose(link.dataset.choice)) return;
    event.preventDefault();
    if (link.classList.contains('t3-do')) scrollBefore = window.scrollY;
  });

  // The server ended this page: show why for some seconds, then reload.
  let ending = false;
  const over = (why) => {
    say(why, 'lost');
    if (!ending) setTimeout(() => location.reload(), 6000 + 4000 * Math.random());
    ending = true;
  };
  let missed = 0;
  const check = async () => {
    if (ending || document.hidden) return;
    let answer = null;
    try {
      answer = await fetch(config.baseUrl + 'api/kernels/' + config.kernelId, {cache: 'no-store'});
    } catch (error) {
      missed += 1;
    }
    // The kernel is gone or no longer ours (signed out elsewhere, or the session expired): reload, or sign in.
    if (answer && [403, 404].includes(answer.status)) return location.reload();
    if (answer && answer.status === 410) return over((await answer.json()).why);
    if (!root.classList.contains('t3-ready')) return;
    if (answer) missed = 0;
    const wrong = answer && answer.ok ? (await answer.json()).error : '';
    if (wrong && !document.querySelector('.t3-live .t3-error')) say(wrong, 'lost');
    else if (missed > 0) say('Connection lost: figures may be old. Trying again.', 'lost');
    else current();
  };
  setInterval(check, 4000);
  ['online', 'offline', 'focus'].forEach((name) => window.addEventListener(name, check));
})();
