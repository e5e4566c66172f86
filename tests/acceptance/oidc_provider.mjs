// A provider of OpenID Connect that nobody here wrote, npm's oidc-provider (`npm ci` in web/), for
// tests/it/identity.rs and web/tests/identity.test.mjs to log in by:
//
//     node tests/acceptance/oidc_provider.mjs PORT SITE KEY ACCOUNTS
//
// SITE is duoku's public_url, KEY that of the provider in its settings. ACCOUNTS is a file with the
// claims of each account by its name, read anew for each login. The client is `duoku` with the secret
// `a secret of tests`. Its signing keys are new with each start. Prints a line when it is ready.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

const modules = new URL("../../web/node_modules/", import.meta.url);
const { Provider } = await import(new URL("oidc-provider/lib/index.js", modules));

const [port, site, key, accounts] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: "duoku",
    client_secret: "a secret of tests",
    redirect_uris: [`${site}/login/with/${key}/done`],
    post_logout_redirect_uris: [`${site}/`],
    backchannel_logout_uri: `${site}/login/with/${key}/logout`,
    backchannel_logout_session_required: true,
  }],
  jwks: { keys: [jwk] },
  cookies: { keys: [randomUUID()] },
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username", "groups"],
    email: ["email", "email_verified"],
  },
  pkce: { required: () => true },
  // It does not call its own machine unless asked with another agent: duoku is there in tests.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  features: { backchannelLogout: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...JSON.parse(readFileSync(accounts, "utf8"))[id] }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log(`ready ${provider.issuer}`));
