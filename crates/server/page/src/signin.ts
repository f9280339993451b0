import { button, el } from "./dom";

/** Where somebody is signed in. */
export interface SignedIn {
  token: string;
}

/** Without a link: on a demonstration server one chooses a name; elsewhere the page says where the link comes from. */
export async function signIn(root: HTMLElement, done: (token: string) => void): Promise<void> {
  const people = await demoPeople();
  const main = el("main", { class: "signin" }, el("h1", {}, "Messages with your clinic"));
  if (!people) {
    main.append(el("p", {}, "Open this page by the link that your clinic has sent you."));
    root.replaceChildren(main);
    return;
  }

  const complaint = el("p", { class: "complaint", role: "alert" });
  const enter = async (name: string) => {
    complaint.textContent = "";
    const answer = await post("/api/demo/sign-in", { role: "patient", name });
    if (answer) done(answer.token);
    else complaint.textContent = "Signing in did not work. Is this a name of the demonstration?";
  };
  const input = el("input", {
    id: "name",
    autocomplete: "off",
    maxlength: "100",
    "data-testid": "name-input",
  });
  const form = el(
    "form",
    {},
    el("label", { for: "name" }, "Or another name"),
    el(
      "div",
      { class: "write" },
      input,
      el("button", { type: "submit", "data-testid": "name-submit" }, "Sign in"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) void enter(input.value.trim());
  });
  const names = people.map((name) =>
    el(
      "li",
      {},
      button(name, () => void enter(name), { "data-testid": "signin-name" }),
    ),
  );
  main.append(
    el("p", {}, "This is a demonstration with made-up people. Whose page do you want to see?"),
    el("ul", { class: "people" }, ...names),
    form,
    complaint,
  );
  root.replaceChildren(main);
}

/** The demonstration's patients; null where there is no demonstration. */
async function demoPeople(): Promise<string[] | null> {
  try {
    const answer = await fetch("/api/demo/people");
    if (!answer.ok) return null;
    const { patients } = (await answer.json()) as { patients: { name: string }[] };
    return patients.map(({ name }) => name);
  } catch {
    return null;
  }
}

async function post(path: string, body: unknown): Promise<SignedIn | null> {
  try {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.ok ? ((await answer.json()) as SignedIn) : null;
  } catch {
    return null;
  }
}
