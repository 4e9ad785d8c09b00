// The page to read and try the API.
import assert from 'node:assert/strict';

const place = '/api/v2.0/docs';
const operation = (session, id) => session.page.locator(`#op-${id}`);

async function openOperation(session, id) {
  await operation(session, id).locator('summary').click();
  return operation(session, id);
}

const answered = (place, status) => place.getByRole('status').filter({ hasText: new RegExp(`^${status} `) }).waitFor();

export const apipage = {
  async 'the API can be read'(session) {
    await session.open(place);
    const projects = await openOperation(session, 'listProjects');
    await projects.getByRole('rowheader', { name: 'page_size' }).waitFor();
    await projects.getByRole('rowheader', { name: '422' }).waitFor();
    const made = await openOperation(session, 'createProject');
    assert.match(await made.locator('.example').textContent(), /"project_name"/);
    const model = session.page.locator('#model-ProjectReq');
    await made.getByRole('link', { name: 'ProjectReq' }).click();
    if (session.scripted) await model.getByRole('rowheader', { name: 'storage_limit' }).waitFor();
    else await model.waitFor();
    await session.check('api');
  },

  async 'a request of the session is tried'(session) {
    if (!session.scripted) return;
    await session.signedIn();
    await session.open(`${place}#op-CreateLabel`);
    const label = operation(session, 'CreateLabel');
    await label.getByRole('textbox', { name: 'Body' }).fill(JSON.stringify({ name: `tried-${Date.now()}`, scope: 'g' }));
    await label.getByRole('button', { name: 'Send POST' }).click();
    await answered(label, 201);
    const found = await openOperation(session, 'ListLabels');
    await found.getByLabel('scope').fill('g');
    await found.getByRole('button', { name: 'Send GET' }).click();
    await answered(found, 200);
    assert.match(await found.getByRole('group', { name: 'Answer' }).textContent(), /"tried-/);
    assert.match(await found.getByRole('group', { name: 'For a terminal' }).textContent(), /^curl -i -X GET .*scope=g'$/);
    await session.check('api tried');
  },

  async 'the body that is there can be sent as it is'(session) {
    if (!session.scripted) return;
    await session.api.ask('DELETE', '/api/v2.0/projects/harbour', [200, 404]);
    await session.signedIn();
    await session.open(place);
    const made = await openOperation(session, 'createProject');
    await made.getByRole('button', { name: 'Send POST' }).click();
    await answered(made, 201);
    const found = await openOperation(session, 'getRepository');
    await found.getByText(/the form escapes its slashes/).waitFor();
  },

  async 'the slash leads to the search of operations'(session) {
    if (!session.scripted) return;
    await session.open(place);
    await session.page.keyboard.press('/');
    await session.page.keyboard.type('/labels');
    assert.equal(await session.page.getByLabel('Find an operation').inputValue(), '/labels', 'in the field it is a slash');
    await operation(session, 'listProjects').waitFor({ state: 'hidden' });
    await operation(session, 'ListLabels').waitFor();
  },

  async 'a request with typed credentials is tried'(session) {
    if (!session.scripted) return;
    session.announce(401);
    await session.open(place);
    await session.page.getByLabel('Find an operation').fill('current user info');
    const current = await openOperation(session, 'getCurrentUserInfo');
    await current.getByRole('button', { name: 'Send GET' }).click();
    await answered(current, 401);
    await session.page.getByLabel(/^Name/).fill('admin');
    await session.page.getByLabel('Password or secret').fill(session.server.password);
    await current.getByRole('button', { name: 'Send GET' }).click();
    await answered(current, 200);
    assert.match(await current.getByRole('group', { name: 'Answer' }).textContent(), /"username": "admin"/);
    const command = await current.getByRole('group', { name: 'For a terminal' }).textContent();
    assert.ok(!command.includes(session.server.password), 'the password stays out of the command');
    await current.getByRole('button', { name: 'Copy the command' }).click();
    await current.getByRole('button', { name: 'Copied' }).waitFor();
  },

  async 'Harbor’s address of the page leads there'(session) {
    await session.open('/devcenter-api-2.0');
    assert.equal(new URL(session.page.url()).pathname, place);
  },

  async 'the account menu leads to the API'(session) {
    await session.signedIn();
    await session.open('/harbor/projects');
    await session.page.getByRole('button', { name: /your account/ }).click();
    await session.page.getByRole('link', { name: 'API' }).click();
    await session.page.waitForURL(`**${place}`);
  },
};
