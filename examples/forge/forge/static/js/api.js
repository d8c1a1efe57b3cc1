// Calls of our own API: JSON in, JSON out, an Error with the server's words for every refusal.

const token = () => document.querySelector('meta[name="csrf-token"]').content;

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token() },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

export function showBalance(balance) {
  for (const element of document.querySelectorAll('[data-testid="balance"], [data-balance]')) {
    if (element.textContent !== String(balance)) element.textContent = balance;
  }
}
