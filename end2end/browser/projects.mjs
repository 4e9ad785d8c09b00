// The project list, new projects, and the repositories of a project.
import assert from 'node:assert/strict';

const main = session => session.page.getByRole('main');
const names = session => main(session).locator('tbody a.name').allTextContents();
const nameField = session => main(session).getByRole('textbox', { name: /name/i }).first();
const create = session => session.follow(main(session).getByRole('button', { name: /create/i }));

// The browser's own check would keep a wrong value from the server, whose answer is what is tried.
const unchecked = session => session.page.evaluate(() => { for (const form of document.forms) form.noValidate = true; });

export const projects = {
  async 'without signing in only public projects are listed'(session) {
    await session.open('/harbor/projects');
    assert.equal(await session.link(session.server.project).count(), 0, 'the private project is not shown');
    await session.link('library').waitFor();
    await session.check('public projects');
  },

  async 'the project list'(session) {
    await session.signedIn();
    await session.open(`/harbor/projects?q=${session.server.project}`);
    await session.link(session.server.project).waitFor();
    await session.open('/harbor/projects');
    await session.check('projects');
  },

  async 'the project list is filtered, sorted and paged'(session) {
    for (let number = 10; number < 40; number += 1) await session.api.project(`fleet-${number}`, number % 2 === 0);
    await session.signedIn();
    await session.open('/harbor/projects?size=15');
    await main(session).getByRole('searchbox').fill('fleet-');
    await session.follow(main(session).getByRole('button', { name: 'Filter', exact: true }));
    await session.page.waitForURL(/q=fleet-/);
    await main(session).getByText('1–15 of 30').waitFor();
    assert.deepEqual((await names(session)).slice(0, 2), ['fleet-10', 'fleet-11'], 'by name');
    await session.follow(main(session).getByRole('link', { name: 'Next', exact: true }));
    await main(session).getByText('16–30 of 30').waitFor();
    assert.equal((await names(session))[0], 'fleet-25');
    if (!session.narrow) {
      await session.follow(main(session).getByRole('link', { name: 'Project', exact: true }));
      await main(session).getByText('1–15 of 30').waitFor();
      assert.equal((await names(session))[0], 'fleet-39', 'the other way round');
    }
    await session.follow(main(session).getByRole('link', { name: 'Public', exact: true }));
    await main(session).getByText('1–15 of 15').waitFor();
    await session.check('projects filtered');
    await session.follow(main(session).getByRole('link', { name: /remove the name filter/i }));
    await session.page.waitForURL(url => !url.search.includes('q='));
    await session.open('/harbor/projects?q=there-is-none');
    await main(session).getByText('No project matches “there-is-none”').waitFor();
    await session.check('projects without a match');
  },

  async 'create a project and see how to push to it'(session) {
    const name = `made-${session.look.name.replaceAll(' ', '-')}`;
    await session.signedIn();
    await session.open('/harbor/projects/new');
    await session.check('new project');
    await nameField(session).fill(name);
    await create(session);
    await session.page.waitForURL(/\/harbor\/projects\/\d+\/repositories$/);
    const host = new URL(session.server.url).host;
    const command = `docker push ${host}/${name}/NAME:TAG`;
    await main(session).getByText(command).waitFor();
    await session.check('empty project');
    await main(session).getByText('Podman', { exact: true }).click();
    await main(session).getByText(/podman push/).waitFor();
    const copy = main(session).getByRole('button', { name: /copy the podman command/i });
    if (session.scripted) {
      await copy.click();
      await main(session).getByText('Copied', { exact: true }).waitFor({ state: 'attached' });
      assert.match(await session.clipboard(), new RegExp(`^podman login .*${host}\npodman push .*docker://${host}/${name}/NAME:TAG$`));
    } else {
      assert.equal(await copy.count(), 0, 'without scripts there is no button that needs one');
    }
    await session.open(`/harbor/projects?q=${name}`);
    await session.link(name).waitFor();
  },

  async 'a project name that is taken is refused'(session) {
    session.announce(400, 409, 422);
    await session.signedIn();
    await session.open('/harbor/projects/new');
    await nameField(session).fill('library');
    await create(session);
    await session.alert();
    await session.check('new project refused');
  },

  async 'a bad name and a bad limit are refused beside their fields'(session) {
    session.announce(400, 422);
    await session.signedIn();
    for (const [field, value] of [['Name', 'Not A Name'], ['Storage limit', 'plenty']]) {
      await session.open('/harbor/projects/new');
      await unchecked(session);
      await nameField(session).fill('fine-name-of-nothing');
      await main(session).getByRole('textbox', { name: field }).fill(value);
      await create(session);
      await session.alert();
      const described = await main(session).getByRole('textbox', { name: field }).getAttribute('aria-describedby');
      const told = await Promise.all(described.split(' ').map(id => session.page.locator(`[id="${id}"]`).textContent()));
      assert.match(told.at(-1), /\S/, `the error stands beside ${field}`);
    }
    await session.check('new project with a bad limit');
  },

  async 'a limit that is too large is refused beside its field'(session) {
    await session.signedIn();
    await session.open('/harbor/projects/new');
    await nameField(session).fill('too-large-a-limit');
    await main(session).getByRole('textbox', { name: 'Storage limit' }).fill('1025');
    await main(session).getByLabel('Unit of the storage limit').selectOption('TiB');
    await create(session);
    await session.alert();
    await session.page.locator('#limit-err').getByText('At most 1024 TiB.').waitFor();
    assert.equal((await session.page.locator('#name-err').textContent()).trim(), '', 'nothing is wrong with the name');
    await session.check('new project with too large a limit');
  },

  async 'what is wrong with a name is said at its field'(session) {
    await session.signedIn();
    await session.open('/harbor/projects/new');
    const field = nameField(session);
    assert.match(await field.getAttribute('title'), /lower-case letters/i, 'what the browser says too');
    assert.equal(await field.getAttribute('maxlength'), '253');
    if (!session.scripted) return;
    await field.fill('Not A Name');
    await field.press('Tab');
    await session.page.locator('#name-err').getByText(/Lower-case letters/).waitFor();
    await session.check('new project with a bad name');
    await field.fill('a-name');
    await session.page.locator('#name-err').getByText(/Lower-case letters/).waitFor({ state: 'detached' });
  },

  async 'a form outlives the session'(session) {
    const name = `outlives-${session.look.name.replaceAll(' ', '-')}`;
    await session.signedIn();
    await session.open('/harbor/projects/new');
    await nameField(session).fill(name);
    await session.context.clearCookies({ name: 'sid' });
    session.announce(401);
    await create(session);
    if (!session.scripted) {
      assert.match(session.page.url(), /\/account\/sign-in\?redirect_url=/);
      await session.fillSignIn();
      assert.equal(session.page.url(), `${session.server.url}/harbor/projects/new`, 'the way back has nothing of the refusal');
      return;
    }
    await main(session).getByText('Your session has ended').waitFor();
    assert.equal(await nameField(session).inputValue(), name, 'what was typed is still there');
    await session.check('session ended');
    const [tab] = await Promise.all([
      session.context.waitForEvent('page'), main(session).getByRole('link', { name: /sign in again/i }).click(),
    ]);
    await tab.locator('input[name=principal]').fill('admin');
    await tab.locator('input[name=password]').fill(session.server.password);
    await tab.getByRole('main').getByRole('button', { name: /sign in/i }).click();
    await tab.waitForURL(`${session.server.url}/harbor/projects/new`);
    await tab.close();
    await create(session);
    await session.page.waitForURL(/\/harbor\/projects\/\d+\/repositories$/);
  },

  async 'a project shows what it holds to who may know'(session) {
    const name = `limited-${session.look.name.replaceAll(' ', '-')}`;
    await session.signedIn();
    await session.open('/harbor/projects/new');
    await nameField(session).fill(name);
    await main(session).getByRole('textbox', { name: 'Storage limit' }).fill('50');
    await create(session);
    await session.page.waitForURL(/\/harbor\/projects\/\d+\/repositories$/);
    await main(session).getByText('0 B of 50.0 GiB used').waitFor();
    await session.check('project with a limit');
    await session.context.clearCookies({ name: 'sid' });
    await session.open(`/harbor/projects/${await session.api.project('library')}/repositories`);
    assert.equal(await main(session).getByText(/ used/).count(), 0, 'nobody is told of a quota');
  },

  async 'a page past the end leads back'(session) {
    await session.signedIn();
    const id = await session.api.project(session.server.project);
    for (const path of ['/harbor/projects', `/harbor/projects/${id}/repositories`, `/harbor/projects/${id}/repositories/portal`]) {
      await session.open(`${path}?page=99`);
      await main(session).getByText('There is no page 99').waitFor();
      assert.equal(await main(session).getByText(/looks for the text/).count(), 0, 'nobody typed a text');
      await session.follow(main(session).getByRole('link', { name: 'First page' }));
      await session.page.waitForURL(session.server.url + path);
      await main(session).locator('tbody tr').first().waitFor();
    }
    await session.open('/harbor/projects?page=99');
    await session.check('past the end');
  },

  async 'the repositories of a project'(session) {
    const id = await session.api.project(session.server.project);
    await session.signedIn();
    await session.open(`/harbor/projects/${id}/repositories`);
    await session.link('portal').waitFor();
    await session.check('repositories');
    await session.open(`/harbor/projects/${id}/repositories?q=portal`);
    await session.link('portal').waitFor();
    await session.open(`/harbor/projects/${session.server.project}`);
    await session.page.waitForURL(/\/repositories$/);
    await session.link('portal').waitFor();
  },
};
