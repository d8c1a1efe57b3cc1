// A purchase is settled by the payment provider's message, often after this page was loaded: keep the balance fresh.
import { get, showBalance } from "./api.js";

const EVERY_MS = 2000;

setInterval(async () => {
  if (document.hidden) return;
  const { shown } = await get("/api/credits").catch(() => ({}));
  if (shown !== undefined) showBalance(shown);
}, EVERY_MS);
