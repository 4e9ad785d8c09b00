// Deleting tags, artifacts and repositories: asked first, offered only to who may, refused with the reason.
import assert from 'node:assert/strict';

const main = session => session.page.getByRole('main');
const file = title => ({
  artifactType: 'application/vnd.example.policy.v1', configType: 'application/vnd.oci.empty.v1+json', config: {},
  layerType: 'application/vnd.example.policy.layer.v1+rego', title,
});
const project = 'removal';

// A repository of this look with two artifacts, the first of two tags; gives its address and the first one's digest.
const repository = async (session, name) => {
  const id = await session.api.project(project);
  const full = `${project}/${name}-${session.look.name.replaceAll(' ', '-')}`;
  const digest = await session.api.artifact(full, 'v1', file('one'));
  await session.api.artifact(full, 'stable', file('one'));
  await session.api.artifact(full, 'v2', file('two'));
  return { id, full, digest, path: `/harbor/projects/${id}/repositories/${encodeURIComponent(full.slice(project.length + 1))}` };
};
const dialog = session => session.page.getByRole('dialog');
// Opens the question and looks at it before the deed is done.
const answer = async (session, button, deed, picture) => {
  await main(session).getByRole('button', { name: button, exact: true }).click();
  await dialog(session).waitFor();
  if (picture) await session.check(picture);
  await session.follow(dialog(session).getByRole('button', { name: deed, exact: true }));
};

export const removal = {
  async 'a tag is deleted and its artifact stays'(session) {
    const { path, digest } = await repository(session, 'tags');
    await session.signedIn();
    await session.open(`${path}/artifacts-tab/artifacts/v1`);
    await main(session).getByRole('button', { name: 'Delete the tag v1?' }).click();
    await dialog(session).waitFor();
    if (session.scripted) assert.equal(await session.page.evaluate(() => document.activeElement.textContent.trim()), 'Cancel', 'the way back has the focus');
    await session.page.keyboard.press('Escape');
    await dialog(session).waitFor({ state: 'hidden' });
    await answer(session, 'Delete the tag v1?', 'Delete the tag', 'delete a tag');
    await session.page.waitForURL(url => url.pathname.endsWith(digest));
    await main(session).getByRole('button', { name: 'Delete the tag v1?' }).waitFor({ state: 'detached' });
    await main(session).getByRole('button', { name: 'Delete the tag stable?' }).waitFor();
    // The page stays where it is when the second goes, and still shows what is left.
    await answer(session, 'Delete the tag stable?', 'Delete the tag');
    await main(session).getByText('Untagged').first().waitFor();
    assert.equal(await main(session).getByRole('button', { name: /Delete the tag/ }).count(), 0);
  },

  async 'an artifact is deleted with its tags'(session) {
    const { path, full, digest } = await repository(session, 'artifacts');
    await session.signedIn();
    await session.open(`${path}/artifacts-tab/artifacts/${digest}`);
    await answer(session, 'Delete…', 'Delete this artifact', 'delete an artifact');
    await session.page.waitForURL(session.server.url + path);
    await main(session).getByRole('link', { name: 'v2', exact: true }).first().waitFor();
    assert.equal(await main(session).getByText('stable', { exact: true }).count(), 0);
    await session.api.ask('GET', `/v2/${full}/manifests/${digest}`, [404]);
  },

  async 'a repository is deleted'(session) {
    const { id, path, full } = await repository(session, 'whole');
    await session.signedIn();
    await session.open(path);
    await answer(session, 'Delete…', 'Delete the repository', 'delete a repository');
    await session.page.waitForURL(`${session.server.url}/harbor/projects/${id}/repositories`);
    await session.api.ask('GET', `/v2/${full}/tags/list`, [404]);
    session.announce(404);
    await session.open(path, 404);
  },

  async 'what a rule protects is not deleted, and the page says why'(session) {
    session.announce(412);
    const { path, full, digest } = await repository(session, 'held');
    const selector = pattern => ({ kind: 'doublestar', decoration: pattern[0], pattern: pattern[1] });
    const data = {
      action: 'immutable', template: 'immutable_template', disabled: false,
      tag_selectors: [selector(['matches', 'v1'])], scope_selectors: { repository: [selector(['repoMatches', full.slice(project.length + 1)])] },
    };
    await session.api.ask('POST', `/api/v2.0/projects/${project}/immutabletagrules`, [201], { data });
    await session.signedIn();
    await session.open(`${path}/artifacts-tab/artifacts/${digest}`);
    await main(session).getByText('Immutable').first().waitFor();
    assert.equal(await main(session).getByRole('button', { name: 'Delete the tag v1?' }).count(), 0, 'an immutable tag cannot go');
    await answer(session, 'Delete…', 'Delete this artifact');
    await session.alert();
    assert.match(await session.page.getByRole('alert').filter({ hasText: /\S/ }).first().textContent(), /immutable/i);
    await session.check('delete refused');
    await session.api.ask('GET', `/v2/${full}/manifests/${digest}`, [200]);
  },

  async 'nothing is offered to who may only read'(session) {
    const { path, digest } = await repository(session, 'read');
    await session.api.user('reader', 'Passes-4-by');
    await session.api.member(project, 'reader', 3);
    await session.signIn('reader', 'Passes-4-by');
    await session.open(path);
    await main(session).getByText('v2').first().waitFor();
    assert.equal(await main(session).getByRole('button', { name: /delete/i }).count(), 0);
    await session.open(`${path}/artifacts-tab/artifacts/${digest}`);
    await main(session).getByText('stable').first().waitFor();
    assert.equal(await main(session).getByRole('button', { name: /delete/i }).count(), 0);
    const empty = await session.api.project('removal-empty');
    await session.api.member('removal-empty', 'reader', 3);
    await session.open(`/harbor/projects/${empty}/repositories`);
    await main(session).getByText(/pushing takes the role developer/i).waitFor();
    assert.equal(await main(session).getByText(/docker push/).count(), 0, 'no push command for who may not push');
    await session.check('empty project of a reader');
  },
};
