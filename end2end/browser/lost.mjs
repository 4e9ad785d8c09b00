// What is not there, and what must look as if it were not.
import assert from 'node:assert/strict';

const heading = session => session.page.getByRole('heading', { level: 1 }).textContent();

export const lost = {
  async 'the navigation of a narrow screen opens and closes'(session) {
    if (!session.narrow) return;
    await session.signedIn();
    for (const [path, name, close] of [['/harbor/projects', 'Main', 'Close navigation'], ['/api/v2.0/docs', 'Contents', 'Close']]) {
      await session.open(path);
      const nav = session.page.getByRole('navigation', { name, exact: true });
      const toggle = session.page.locator('.nav-toggle');
      await toggle.click();
      await nav.waitFor();
      await session.check(`navigation of ${name}`);
      await nav.getByRole('button', { name: close, exact: true }).click();
      await nav.waitFor({ state: 'hidden' });
      await toggle.click();
      await nav.waitFor();
      await session.page.keyboard.press('Escape');
      await nav.waitFor({ state: 'hidden' });
      assert.ok(await toggle.evaluate(button => button === document.activeElement), 'the button has the focus again');
    }
  },

  async 'a page that is not there'(session) {
    session.announce(404);
    await session.signedIn();
    await session.open('/harbor/projects/999999/repositories', 404);
    await session.check('not found');
    await session.open('/harbor/no-such-page', 404);
    await session.check('no such page');
    await session.open('/no-such-page', 404);
    await session.open(`/harbor/projects/${session.server.project}/repositories/no-such-repository`, 404);
    await session.open(`/harbor/projects/${session.server.project}/repositories/portal/artifacts-tab/artifacts/no-such-tag`, 404);
  },

  async 'addresses that lead on do so for whoever asks'(session) {
    for (const [from, to] of [['/', '/harbor/projects'], ['/harbor', '/harbor/projects'], ['/harbor/sign-in', '/account/sign-in']]) {
      for (const accept of ['*/*', 'text/html']) {
        const answer = await session.api.context.fetch(from, { maxRedirects: 0, headers: { accept } });
        assert.equal(answer.status(), 302, `${from} for ${accept}`);
        assert.equal(answer.headers().location, to);
        assert.equal(answer.headers().serverfnredirect, undefined);
      }
    }
  },

  async 'a stranger cannot tell a private project from none'(session) {
    session.announce(404);
    const id = await session.api.project(session.server.project);
    await session.api.user('stranger', 'Passes-4-by');
    await session.signIn('stranger', 'Passes-4-by');
    await session.page.waitForURL(/\/harbor\/projects/);
    const seen = [];
    for (const [project, rest] of [[id, ''], [999999, ''], [id, '/portal'], [999999, '/portal'], [session.server.project, ''], ['no-such-project', '']]) {
      await session.open(`/harbor/projects/${project}/repositories${rest}`, 404);
      seen.push(await heading(session));
    }
    assert.equal(new Set(seen).size, 1, `all read the same: ${seen.join(' | ')}`);
    await session.open('/harbor/projects');
    assert.equal(await session.link(session.server.project).count(), 0);
    await session.check('projects of a stranger');
  },

  async 'without signing in every project leads to the sign-in page'(session) {
    for (const project of [await session.api.project(session.server.project), 999999]) {
      await session.open(`/harbor/projects/${project}/repositories`);
      assert.match(session.page.url(), /\/account\/sign-in\?redirect_url=/);
    }
    const open = await session.api.project('library');
    await session.open(`/harbor/projects/${open}/repositories`);
    assert.match(await heading(session), /^library/);
  },
};
