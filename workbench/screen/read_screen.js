// Returns what a person would see of this document: texts, controls, landmarks, alerts. Read by reader.py.
() => {
  const clamp = (n) => Math.max(-100000, Math.min(1000000, Math.round(n) || 0));
  const box = (r) => ({ x: clamp(r.left), y: clamp(r.top), w: clamp(r.width), h: clamp(r.height) });
  const cut = (s, n) => (s || '').replace(/\s+/g, ' ').trim().slice(0, n);
  const shown = (el) => {
    if (el.checkVisibility && !el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    const r = el.getBoundingClientRect();
    return r.width > 0 && r.height > 0 && r.right > 0 && r.bottom > -100000;
  };
  const LANDMARK = { MAIN: 'main', NAV: 'navigation', HEADER: 'banner', FOOTER: 'contentinfo', ASIDE: 'complementary',
    DIALOG: 'dialog' };
  const CONTROL = { BUTTON: 'button', A: 'link', SELECT: 'combobox', TEXTAREA: 'textbox', SUMMARY: 'button' };
  const LANDMARKS = new Set([...Object.values(LANDMARK), 'search', 'region', 'alertdialog']);
  const CONTROLS = new Set(['button', 'link', 'combobox', 'textbox', 'checkbox', 'radio', 'switch', 'tab', 'menuitem',
    'option', 'slider', 'searchbox', 'spinbutton']);
  const MEDIA = new Set(['IMG', 'VIDEO', 'CANVAS', 'SVG', 'PICTURE', 'IFRAME', 'OBJECT', 'EMBED']);
  const roleOf = (el) => {
    const given = (el.getAttribute('role') || '').split(' ')[0];
    if (given) return given;
    if (el.tagName === 'INPUT') {
      const type = (el.type || 'text').toLowerCase();
      if (type === 'hidden') return '';
      if (type === 'checkbox' || type === 'radio') return type;
      return ['submit', 'button', 'reset', 'image'].includes(type) ? 'button' : 'textbox';
    }
    if (el.tagName === 'A' && !el.hasAttribute('href')) return '';
    return CONTROL[el.tagName] || LANDMARK[el.tagName] || '';
  };
  const nameOf = (el) => {
    const labelled = el.getAttribute('aria-labelledby');
    const other = labelled && el.getRootNode().getElementById && el.getRootNode().getElementById(labelled.split(' ')[0]);
    const label = el.labels && el.labels[0];
    return cut(el.getAttribute('aria-label') || (other && other.textContent) || (label && label.textContent)
      || el.getAttribute('placeholder') || (el.tagName === 'INPUT' ? el.value && el.type === 'submit' && el.value : '')
      || (CONTROLS.has(roleOf(el)) && el.tagName !== 'SELECT' && el.tagName !== 'TEXTAREA' ? el.textContent : ''), 80);
  };
  const stateOf = (el) => {
    const parts = [];
    for (const name of ['aria-expanded', 'aria-checked', 'aria-selected', 'aria-pressed', 'aria-busy', 'aria-invalid']) {
      if (el.hasAttribute(name)) parts.push(name.slice(5) + '=' + el.getAttribute(name));
    }
    if (el.type === 'checkbox' || el.type === 'radio') parts.push('checked=' + el.checked);
    else if ('value' in el && el.type !== 'password' && !['BUTTON', 'LI'].includes(el.tagName)) parts.push('value=' + el.value);
    return cut(parts.join(' '), 80);
  };
  const out = { path: location.pathname.slice(0, 2000), title: cut(document.title, 300), width: clamp(innerWidth),
    height: clamp(innerHeight), content_width: clamp(document.documentElement ? document.documentElement.scrollWidth : 0),
    texts: [], controls: [], landmarks: [], alerts: [], media: 0 };
  let budget = 20000;
  const element = (el) => {
    const role = roleOf(el);
    if (MEDIA.has(el.tagName.toUpperCase())) out.media += 1;
    if (CONTROLS.has(role) && out.controls.length < 200) {
      const enabled = !el.disabled && el.getAttribute('aria-disabled') !== 'true';
      out.controls.push({ role: cut(role, 80), name: nameOf(el), enabled, state: stateOf(el),
        box: box(el.getBoundingClientRect()) });
    } else if (LANDMARKS.has(role) && out.landmarks.length < 50) {
      out.landmarks.push({ role: cut(role, 80), name: nameOf(el), box: box(el.getBoundingClientRect()) });
    }
    if (role === 'alert' && out.alerts.length < 20 && cut(el.textContent, 300)) out.alerts.push(cut(el.textContent, 300));
  };
  const range = document.createRange();
  const walk = (node) => {
    if (--budget < 0) return;
    if (node.nodeType === Node.TEXT_NODE) {
      const text = cut(node.data, 300);
      if (!text || out.texts.length >= 400) return;
      // An invisible box may hold visible ones, so visibility is asked of the text's own parent.
      if (node.parentElement && getComputedStyle(node.parentElement).visibility !== 'visible') return;
      range.selectNodeContents(node);
      const r = range.getBoundingClientRect();
      if (r.width > 0 && r.height > 0 && r.right > 0) out.texts.push({ text, box: box(r) });
      return;
    }
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'OPTION'].includes(node.tagName)) return;
      // A box without size may still hold children that have one; an invisible one is skipped with all it holds.
      if (shown(node)) element(node);
      else if (node.checkVisibility && !node.checkVisibility({ opacityProperty: true })) return;
      if (node.shadowRoot) for (const child of node.shadowRoot.childNodes) walk(child);
    }
    for (const child of node.childNodes) walk(child);
  };
  if (document.body) walk(document.body);
  return out;
}
