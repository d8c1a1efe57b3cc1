// Keeps an open console page fresh: the socket says that something changed, the page is fetched again, and
// only the parts marked data-live are replaced. Without a socket it looks once a minute.
"use strict";
(() => {
  const QUIET_MS = 400; // several changes in a row are one refresh
  const POLL_MS = 60000;
  const RETRY_MS = [1000, 2000, 5000, 10000, 30000];
  let timer = null;
  let tries = 0;
  let busy = false;
  let again = false;

  const live = () => document.querySelectorAll("[data-live]");

  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", headers: { "X-Console-Refresh": "1" } });
      if (answer.redirected) {
        location.reload(); // the session is over: the login says why
        return;
      }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of live()) {
        const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
        if (other && other.innerHTML !== part.innerHTML) part.replaceChildren(...other.cloneNode(true).childNodes);
      }
      document.title = fresh.title;
    } catch {
      // Offline: the next wake or the next minute tries again.
    } finally {
      busy = false;
      if (again) {
        again = false;
        wake();
      }
    }
  }

  function wake() {
    clearTimeout(timer);
    timer = setTimeout(refresh, QUIET_MS);
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/console/socket`);
    socket.onopen = () => {
      if (tries > 0) wake(); // what happened while we were away
      tries = 0;
      document.documentElement.dataset.consoleSocket = "open";
    };
    socket.onmessage = wake;
    socket.onclose = (event) => {
      document.documentElement.dataset.consoleSocket = "closed";
      if (event.code === 4403) return; // not ours to see: polling alone finds out when the login is over
      setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    };
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (live().length === 0) return;
    connect();
    setInterval(() => {
      if (!document.hidden) refresh();
    }, POLL_MS);
  });
})();
