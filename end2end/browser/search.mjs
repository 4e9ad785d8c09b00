// The search over everything, and what people see who did not sign in.
import assert from 'node:assert/strict';

const main = session => session.page.getByRole('main');
const file = {
  artifactType: 'application/vnd.example.policy.v1', configType: 'application/vnd.oci.empty.v1+json', config: {},
  layerType: 'application/vnd.example.policy.layer.v1+rego', title: 'gate.rego',
};
// The field of the top bar; where there is no room for it, the one of the page behind its link.
const ask = async (session, text) => {
  if (session.narrow) await session.follow(session.page.getByRole('banner').getByRole('link', { name: 'Search' }));
  const field = session.narrow ? main(session).getByRole('searchbox') : session.page.getByRole('searchbox', { name: 'Search projects and repositories' });
  await field.fill(text);
  await field.press('Enter');
  await session.page.waitForURL(url => url.pathname === '/harbor/search' && url.searchParams.get('q') === text);
  await session.settle();
};

export const search = {
  async 'search finds projects and repositories'(session) {
    await session.signedIn();
    await session.open('/harbor/projects');
    await ask(session, 'porta');
    await main(session).getByRole('link', { name: 'portal', exact: true }).first().waitFor();
    assert.match(await session.page.title(), /^Search/);
    await session.check('search');
    const calls = [];
    session.page.on('request', request => {
      if (request.isNavigationRequest() || request.resourceType() === 'fetch') calls.push(request.url());
    });
    await main(session).getByRole('searchbox').fill(session.server.project);
    await session.follow(main(session).getByRole('button', { name: 'Search', exact: true }));
    await main(session).getByRole('heading', { name: /^Projects: 1/ }).waitFor();
    assert.equal(calls.length, 1, `one call: ${calls.join(' ')}`);
    await session.follow(main(session).getByRole('region', { name: 'Projects' }).getByRole('link', { name: session.server.project, exact: true }).first());
    await session.page.waitForURL(/\/repositories$/);
  },

  async 'the slash leads to the search'(session) {
    if (!session.scripted || session.narrow) return;
    await session.signedIn();
    await session.open('/harbor/projects');
    await session.page.keyboard.press('/');
    assert.equal(await session.page.evaluate(() => document.activeElement.id), 'search');
    await session.page.keyboard.type('a/b');
    assert.equal(await session.page.locator('#search').inputValue(), 'a/b', 'in a field it is a slash');
    await session.page.keyboard.press('Enter');
    await main(session).getByText('Nothing matches “a/b”').waitFor();
    await main(session).getByText('All projects and repositories were searched.').waitFor();
    await session.check('search without a match');
  },

  async 'without signing in only what is public is found and shown'(session) {
    const name = 'open-to-all';
    await session.api.artifact(`library/${name}`, 'v1', file);
    await session.open('/harbor/projects');
    await ask(session, 'porta');
    await main(session).getByText('Nothing matches “porta”').waitFor();
    await ask(session, name);
    await session.follow(main(session).getByRole('link', { name, exact: true }).first());
    await session.page.waitForURL(new RegExp(`/repositories/${name}$`));
    await main(session).getByText(new RegExp(`oras pull .*/library/${name}:v1`)).waitFor();
    assert.match(await session.page.title(), new RegExp(`^${name} · library`));
    assert.equal(await main(session).getByRole('button', { name: /delete/i }).count(), 0);
    await session.check('public repository');
    await session.follow(main(session).getByRole('link', { name: 'v1', exact: true }).first());
    await main(session).getByText('gate.rego').first().waitFor();
    assert.match(await session.page.title(), new RegExp(`^v1 · ${name} · library`));
    await session.open(`/harbor/projects/${await session.api.project('library')}/repositories`);
    await session.link(name).waitFor();
    assert.equal(await main(session).getByText('Push here').count(), 0, 'no push commands for who cannot push');
  },

  async 'what takes a role is refused with the reason'(session) {
    session.announce(403);
    await session.api.user('visitor', 'Passes-4-by');
    const setting = value => session.api.ask('PUT', '/api/v2.0/configurations', [200], { data: { project_creation_restriction: value } });
    await setting('adminonly');
    try {
      await session.signIn('visitor', 'Passes-4-by');
      await session.open('/harbor/projects/new', 403);
      await main(session).getByText('Only administrators make projects here.').waitFor();
      await session.check('forbidden');
    } finally {
      await setting('everyone');
    }
  },
};
