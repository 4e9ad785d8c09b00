// Signing in and out, the account menu, the theme.
import assert from 'node:assert/strict';

export const account = {
  async 'a wrong password is refused'(session) {
    session.announce(401, 403, 422);
    await session.signIn('admin', 'not-the-password');
    assert.match(session.page.url(), /\/account\/sign-in/);
    await session.alert();
    await session.check('sign-in refused');
  },

  async 'sign in and out'(session) {
    await session.open('/account/sign-in');
    await session.check('sign-in');
    await session.signedIn();
    await session.open('/harbor/projects');
    await session.accountMenu();
    await session.check('account menu');
    await session.follow(session.page.getByRole('button', { name: /sign out/i }));
    await session.open('/harbor/projects');
    assert.equal(await session.page.getByRole('button', { name: /your account/i }).count(), 0, 'nobody is signed in any more');
  },

  async 'signing in leads back to the page that was asked for'(session) {
    const path = `/harbor/projects/${await session.api.project(session.server.project)}/repositories`;
    await session.open(path);
    assert.match(session.page.url(), /\/account\/sign-in\?redirect_url=/);
    await session.fillSignIn();
    await session.page.waitForURL(session.server.url + path);
    await session.link('portal').waitFor();
  },

  async 'signing in never leads to another site'(session) {
    await session.open('/account/sign-in?redirect_url=https%3A%2F%2Fother.example%2F');
    await session.fillSignIn();
    await session.page.waitForURL(`${session.server.url}/harbor/projects`);
  },

  async 'the theme is chosen and remembered'(session) {
    await session.signedIn();
    const theme = () => session.page.locator('html').getAttribute('data-theme');
    assert.equal(await theme(), null, 'the system decides');
    const other = session.look.colorScheme === 'dark' ? 'Light' : 'Dark';
    await session.accountMenu();
    await session.follow(session.page.getByRole('button', { name: other, exact: true }));
    assert.equal(await theme(), other.toLowerCase());
    await session.open('/harbor/projects/new');
    assert.equal(await theme(), other.toLowerCase(), 'it is remembered');
    await session.check('theme changed');
    await session.accountMenu();
    await session.follow(session.page.getByRole('button', { name: /follow the system/i }));
    assert.equal(await theme(), null);
    assert.match(session.page.url(), /\/harbor\/projects\/new$/, 'the page is the same');
  },
};
