/**
 * The cookie that leads this user to a candidate release. Only names of ours: the server can't touch the host's
 * cookies. Which incident set it is remembered, so that another incident's "no release" doesn't take it away.
 */
import { attempt, lost } from "../browser/guard";
import { storeRead, storeWrite } from "../browser/store";

const NAME = /^kriptik_[a-z_]{1,40}$/;
const TOKEN = /^[A-Za-z0-9._~-]{1,200}$/;
const KEY = "kriptik:release";

export type Release = { cookie: string; token: string } | null;
interface Holder { incident: string; cookie: string }

/** `undefined`: the state says nothing about a release. */
export function releaseCookieApply(incident: string, release: Release | undefined): void {
  if (release === undefined) return;
  const holder = storeRead<Holder>("localStorage", KEY);
  if (release === null) {
    if (holder?.incident !== incident || !NAME.test(holder.cookie)) return;
    cookieWrite(`${holder.cookie}=; Max-Age=0`);
    storeWrite("localStorage", KEY, null);
  } else if (!NAME.test(release.cookie) || !TOKEN.test(release.token)) {
    lost("release_cookie_refused");
  } else {
    cookieWrite(`${release.cookie}=${release.token}`);
    storeWrite("localStorage", KEY, { incident, cookie: release.cookie } satisfies Holder);
  }
}

function cookieWrite(pair: string): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  attempt("release_cookie", () => {
    document.cookie = `${pair}; path=/; SameSite=Lax${secure}`;
  }, undefined);
}
