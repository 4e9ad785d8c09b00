// Signing in and out, the account menu, the theme.
import assert from 'node:assert/strict';

export const account = {
  async 'a wrong password is refused'(session) {
    session.announce(401, 403, 422);
    await session.signIn('admin', 'not-the-password');
    assert.match(session.page.url(), /\/account\/sign-in/);
    await session.alert();
    assert.equal(await session.page.locator('input[name=principal]').inputValue(), 'admin', 'the name is still there');
    assert.equal(await session.page.locator('input[name=password]').inputValue(), '');
    await session.check('sign-in refused');
  },

  async 'somebody changes their password'(session) {
    const name = `changer-${session.look.name.replaceAll(' ', '-')}`;
    const page = session.page;
    const fill = async (current, fresh, again) => {
      await page.getByLabel('Current password', { exact: true }).fill(current);
      await page.getByLabel('New password', { exact: true }).fill(fresh);
      await page.getByLabel('New password again').fill(again);
      await session.follow(page.getByRole('button', { name: 'Change password' }));
    };
    const refused = async (label, words) => {
      await session.alert();
      const described = await page.getByLabel(label, { exact: true }).getAttribute('aria-describedby');
      await page.locator(`[id="${described.split(' ').at(-1)}"]`).getByText(words).waitFor();
    };
    await session.api.user(name, 'Harbour-of-1');
    await session.signIn(name, 'Harbour-of-1');
    await session.page.waitForURL(/\/harbor\/projects/);
    await session.accountMenu();
    await session.follow(page.getByRole('link', { name: 'Password' }));
    await page.waitForURL(/\/account\/password$/);
    await session.check('password');
    await fill('Not-the-1-password', 'Better-than-that-2', 'Better-than-that-2');
    await refused('Current password', /isn’t your current password/);
    await session.check('password refused');
    await fill('Harbour-of-1', 'Better-than-that-2', 'Better-than-this-2');
    await refused('New password again', /isn’t what stands above/);
    await fill('Harbour-of-1', 'too-short', 'too-short');
    await refused('New password', /8 to 128 characters/);
    await fill('Harbour-of-1', 'Harbour-of-1', 'Harbour-of-1');
    await refused('New password', /the password that you have/);
    await fill('Harbour-of-1', 'Better-than-that-2', 'Better-than-that-2');
    await page.waitForURL(/\/account\/sign-in\?done=password$/);
    await page.getByText('Your password is changed').waitFor();
    await session.check('password changed');
    await session.fillSignIn(name, 'Better-than-that-2');
    await page.waitForURL(/\/harbor\/projects$/);
    await session.link('library').waitFor();
  },

  async 'who is not signed in cannot change a password'(session) {
    await session.open('/account/password');
    assert.match(session.page.url(), /\/account\/sign-in\?redirect_url=%?.*account.*password/);
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
