// What a person does in the portal, by what they see: roles, labels and texts. Each journey gets a fresh session and runs in
// every look, with and without scripts; it must not depend on another journey.
import assert from 'node:assert/strict';

const main = session => session.page.getByRole('main');

async function projectId(session) {
  const answer = await session.context.request.get(`${session.server.url}/api/v2.0/projects/${session.server.project}`, {
    headers: { authorization: `Basic ${Buffer.from(`admin:${session.server.password}`).toString('base64')}` },
  });
  assert.equal(answer.status(), 200, 'the project is there');
  return (await answer.json()).project_id;
}

export const journeys = {
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
    await session.page.getByRole('button', { name: /your account/i }).click();
    await session.shot('account menu');
    await session.follow(session.page.getByRole('button', { name: /sign out/i }));
    await session.open('/harbor/projects');
    assert.equal(await session.page.getByRole('button', { name: /your account/i }).count(), 0, 'nobody is signed in any more');
  },

  async 'without signing in only public projects are listed'(session) {
    await session.open('/harbor/projects');
    if (/sign-in/.test(session.page.url())) return;
    assert.equal(await session.link(session.server.project).count(), 0, 'the private project is not shown');
    await session.link('library').waitFor();
  },

  async 'the project list'(session) {
    await session.signedIn();
    await session.open('/harbor/projects');
    await session.link('library').waitFor();
    await session.link(session.server.project).waitFor();
    await session.check('projects');
  },

  async 'create a project'(session) {
    const name = `made-${session.look.name.replaceAll(' ', '-')}`;
    await session.signedIn();
    await session.open('/harbor/projects/new');
    await session.check('new project');
    await main(session).getByRole('textbox', { name: /name/i }).first().fill(name);
    await session.follow(main(session).getByRole('button', { name: /create/i }));
    await session.page.waitForURL(url => !url.pathname.endsWith('/new'));
    await session.open('/harbor/projects');
    await session.link(name).waitFor();
  },

  async 'a project name that is taken is refused'(session) {
    session.announce(400, 409, 422);
    await session.signedIn();
    await session.open('/harbor/projects/new');
    await main(session).getByRole('textbox', { name: /name/i }).first().fill('library');
    await session.follow(main(session).getByRole('button', { name: /create/i }));
    await session.alert();
    await session.check('new project refused');
  },

  async 'from the project list to an artifact'(session) {
    await session.signedIn();
    await session.open('/harbor/projects');
    await session.follow(session.link(session.server.project));
    await session.page.waitForURL(/\/harbor\/projects\/\d+/);
    await session.follow(session.link(/(^|\/)portal$/));
    await session.page.waitForURL(/\/repositories\/portal/);
    await main(session).getByText('multi').first().waitFor();
    await session.follow(main(session).getByRole('link', { name: new RegExp(session.server.digest.slice(7, 15)) }).first());
    await session.page.waitForURL(/\/artifacts-tab\/artifacts\/sha256/);
  },

  async 'the repositories of a project'(session) {
    await session.signedIn();
    await session.open(`/harbor/projects/${await projectId(session)}/repositories`);
    await session.link(/(^|\/)portal$/).waitFor();
    await session.check('repositories');
  },

  async 'the artifacts of a repository'(session) {
    await session.signedIn();
    await session.open(`/harbor/projects/${await projectId(session)}/repositories/portal`);
    await main(session).getByText('multi').first().waitFor();
    await main(session).getByText('v1').first().waitFor();
    await session.check('artifacts');
  },

  async 'an artifact'(session) {
    await session.signedIn();
    await session.open(`/harbor/projects/${await projectId(session)}/repositories/portal/artifacts-tab/artifacts/${session.server.digest}`);
    await main(session).getByText('amd64').first().waitFor();
    await main(session).getByText('COPY layer 0').first().waitFor();
    await main(session).getByText(/docker pull/).first().waitFor();
    await session.check('artifact');
  },

  async 'a page that is not there'(session) {
    session.announce(404);
    await session.signedIn();
    await session.open('/harbor/projects/999999/repositories', 404);
    await session.check('not found');
  },
};
