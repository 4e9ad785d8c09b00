// A repository with its tags and artifacts, and the pages of artifacts of all kinds.
import assert from 'node:assert/strict';

// As the portal writes sizes of up to a MiB.
const human = bytes => {
  const value = bytes / 1024;
  if (value < 1) return `${bytes} B`;
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} KiB`;
};
const main = session => session.page.getByRole('main');
const repository = async (session, name) =>
  `/harbor/projects/${await session.api.project(session.server.project)}/repositories/${encodeURIComponent(name)}`;
const artifact = async (session, name, reference) => `${await repository(session, name)}/artifacts-tab/artifacts/${reference}`;

export const artifacts = {
  async 'from the project list to an artifact, one call for each page'(session) {
    await session.signedIn();
    await session.open(`/harbor/projects?q=${session.server.project}`);
    const calls = [];
    session.page.on('request', request => {
      if (request.isNavigationRequest() || request.resourceType() === 'fetch') calls.push(request.url());
    });
    const one = (page, expected) => {
      assert.equal(calls.length, 1, `${page} takes one call: ${calls.join(' ')}`);
      if (session.scripted) assert.ok(calls[0].includes(`/ui/fn/${expected}`), `${calls[0]} is a call, not another page`);
      calls.length = 0;
    };
    await session.follow(session.link(session.server.project));
    await session.page.waitForURL(/\/harbor\/projects\/\d+\/repositories$/);
    await session.link('portal').waitFor();
    one('the project', 'repositories');
    await session.follow(session.link('portal'));
    await session.page.waitForURL(/\/repositories\/portal$/);
    await main(session).getByText('multi').first().waitFor();
    one('the repository', 'repository');
    await session.follow(main(session).getByRole('link', { name: new RegExp(session.server.digest.slice(7, 15)) }).first());
    await session.page.waitForURL(/\/artifacts-tab\/artifacts\/sha256/);
    await main(session).getByText('COPY layer 0').first().waitFor();
    one('the artifact', 'artifact');
    await session.page.goBack();
    await session.settle();
    await main(session).getByText('multi').first().waitFor();
  },

  async 'the artifacts of a repository'(session) {
    await session.signedIn();
    await session.open(await repository(session, 'portal'));
    await main(session).getByText('multi').first().waitFor();
    await main(session).getByText('v1').first().waitFor();
    const host = new URL(session.server.url).host;
    await main(session).getByText(new RegExp(`docker pull ${host}/${session.server.project}/portal:`)).waitFor();
    await session.check('artifacts');
    await session.open(`${await repository(session, 'portal')}?show=untagged`);
    await main(session).getByText('Nothing of this kind').waitFor();
    await session.open(`${await repository(session, 'portal')}?q=mul`);
    assert.equal(await main(session).locator('tbody tr').count(), 1);
  },

  async 'an image'(session) {
    await session.signedIn();
    await session.open(await artifact(session, 'portal', session.server.digest));
    await main(session).getByText('amd64').first().waitFor();
    await main(session).getByText('COPY layer 0').first().waitFor();
    await main(session).getByText(/docker pull/).first().waitFor();
    const { layers } = await session.api.manifest(`${session.server.project}/portal`, session.server.digest);
    const rows = main(session).locator('#layers tbody tr');
    const shown = await rows.filter({ has: session.page.locator('.digest') }).evaluateAll(all => all.map(row => ({
      digest: row.querySelector('.digest').title, twelve: row.querySelector('.digest').textContent.trim(),
      bytes: Number(row.querySelector('data').value), size: row.querySelector('data').textContent,
    })));
    assert.deepEqual(shown, layers.map(({ digest, size }) => ({ digest, twelve: digest.slice(7, 19), bytes: size, size: human(size) })));
    assert.ok(layers.length > 1, `${layers.length} layers`);
    await session.check('image');
    await main(session).getByText('Pull by digest', { exact: true }).first().click();
    await main(session).getByText(`portal@${session.server.digest}`).first().waitFor();
    await main(session).getByRole('link', { name: /^Tags/ }).click();
    assert.match(session.page.url(), /#tags$/);
  },

  async 'an image for several platforms'(session) {
    await session.signedIn();
    await session.open(await artifact(session, 'portal', 'multi'));
    for (const platform of ['linux/amd64', 'linux/arm64']) await main(session).getByText(platform).first().waitFor();
    await session.check('index');
    await session.follow(main(session).getByRole('row', { name: /arm64/ }).getByRole('link').first());
    await main(session).getByText('COPY layer 0').first().waitFor();
    await main(session).getByText('Untagged').first().waitFor();
  },

  async 'a chart is pulled with helm'(session) {
    await session.api.artifact(`${session.server.project}/chart`, '1.2.0', {
      configType: 'application/vnd.cncf.helm.config.v1+json', layerType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      config: { name: 'chart', version: '1.2.0', appVersion: '4.5', apiVersion: 'v2', description: 'Tries the portal' }, title: 'chart.tgz',
    });
    await session.signedIn();
    await session.open(await artifact(session, 'chart', '1.2.0'));
    await main(session).getByText('Tries the portal').waitFor();
    await main(session).getByText(/helm pull .*oci:\/\/.*\/chart --version 1\.2\.0/).waitFor();
    assert.equal(await main(session).getByText(/docker pull/).count(), 0, 'docker cannot pull a chart');
    await session.check('chart');
  },

  async 'any other artifact is pulled with oras'(session) {
    await session.api.artifact(`${session.server.project}/policy`, 'v3', {
      artifactType: 'application/vnd.example.policy.v1', configType: 'application/vnd.oci.empty.v1+json', config: {},
      layerType: 'application/vnd.example.policy.layer.v1+rego', title: 'gate.rego',
      annotations: { 'org.example.reviewed-by': 'Maya <maya@example.com>', 'org.example.script': '</pre><script>document.title = "run"</script>' },
    });
    await session.signedIn();
    await session.open(await artifact(session, 'policy', 'v3'));
    await main(session).getByText('gate.rego').first().waitFor();
    await main(session).getByText(/oras pull .*\/policy:v3/).waitFor();
    // What the portal has no view for is shown as it is: its type, its annotations, and on demand the document itself.
    const facts = main(session).getByRole('region', { name: 'Facts' });
    await facts.getByText('application/vnd.example.policy.v1').waitFor();
    const annotations = main(session).getByRole('region', { name: 'Annotations' });
    await annotations.getByText('org.example.reviewed-by', { exact: true }).waitFor();
    await annotations.getByText('Maya <maya@example.com>', { exact: true }).waitFor();
    const manifest = main(session).getByRole('region', { name: 'Manifest' });
    const text = manifest.locator('pre').first();
    assert.equal(await text.isVisible(), false, 'the manifest is folded');
    await manifest.getByText('Manifest as JSON', { exact: true }).click();
    await text.waitFor();
    const pushed = await session.api.manifest(`${session.server.project}/policy`, 'v3');
    if (session.scripted) {
      await manifest.getByRole('button', { name: 'Copy: Manifest as JSON' }).click();
      await manifest.getByText('Copied', { exact: true }).waitFor({ state: 'attached' });
      assert.equal(await session.clipboard(), JSON.stringify(pushed, null, 2));
    }
    const files = main(session).getByRole('region', { name: 'Files', exact: true });
    await files.getByText('gate.rego').waitFor();
    assert.equal(await files.getByText(/step/i).count(), 0, 'a file is no step of a build');
    assert.equal((await text.textContent()).trim(), JSON.stringify(pushed, null, 2), 'the manifest, a member a line');
    assert.notEqual(await session.page.title(), 'run', 'nothing of an artifact is run');
    assert.equal(await manifest.getByText('Configuration as JSON').count(), 0, 'an empty configuration says nothing');
    await session.check('artifact');
  },

  async 'long lines of a manifest stay in their card'(session) {
    await session.api.artifact(`${session.server.project}/long`, 'v1', {
      artifactType: 'application/vnd.example.policy.v1', configType: 'application/vnd.example.long.v1+json', config: { key: 'x'.repeat(500) },
      layerType: 'application/vnd.example.policy.layer.v1+rego', title: 'gate.rego', annotations: { 'org.example.long': 'y'.repeat(700) },
    });
    await session.signedIn();
    await session.open(await artifact(session, 'long', 'v1'));
    const card = main(session).getByRole('region', { name: 'Manifest' });
    for (const name of ['Manifest as JSON', 'Configuration as JSON']) {
      await card.getByText(name, { exact: true }).click();
      const [outer, inner] = [await card.boundingBox(), await card.getByRole('group', { name }).boundingBox()];
      assert.ok(inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width, `${name} stands in the card`);
      const { width, needed } = await card.getByRole('group', { name }).evaluate(pre => ({ width: pre.clientWidth, needed: pre.scrollWidth }));
      assert.ok(needed <= width, `${name}: ${needed} pixels of text in ${width}`);
    }
    await session.check('long manifest');
  },

  async 'the tag that was asked for is the one that is shown'(session) {
    const full = `${session.server.project}/many-tags`;
    const policy = {
      artifactType: 'application/vnd.example.policy.v1', configType: 'application/vnd.oci.empty.v1+json', config: {},
      layerType: 'application/vnd.example.policy.layer.v1+rego', title: 'many.rego',
    };
    for (const tag of ['first', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'last']) await session.api.artifact(full, tag, policy);
    await session.signedIn();
    const path = await repository(session, 'many-tags');
    await session.open(path);
    await session.follow(main(session).getByRole('link', { name: 'and 2 more' }));
    await session.page.waitForURL(/\/artifacts-tab\/artifacts\/sha256:[0-9a-f]+#tags$/);
    const tags = main(session).getByRole('region', { name: 'Tags', exact: true });
    await tags.getByText('first', { exact: true }).waitFor();
    await session.open(`${path}?q=first`);
    await main(session).getByText(/oras pull .*\/many-tags:first$/).waitFor();
    await main(session).getByText('The tag has “first”').waitFor();
    await session.check('artifacts of a tag');
    await session.follow(session.link('first'));
    await main(session).getByText(/oras pull .*\/many-tags:first$/).waitFor();
    assert.match(await session.page.title(), /^first · many-tags/);
  },

  async 'what is attached says what it is, leads to its subject and goes with it'(session) {
    const name = `attached-${session.look.name.replaceAll(' ', '-')}`;
    const full = `${session.server.project}/${name}`;
    const file = {
      artifactType: 'application/vnd.example.policy.v1', configType: 'application/vnd.oci.empty.v1+json', config: {},
      layerType: 'application/vnd.example.policy.layer.v1+rego', title: 'gate.rego',
    };
    const digest = await session.api.artifact(full, 'v1', file);
    const subject = await session.api.descriptor(full, digest);
    const bill = { ...file, artifactType: 'application/spdx+json', layerType: 'application/spdx+json', title: 'bill.spdx.json', subject };
    const attached = await session.api.artifact(full, undefined, bill);
    await session.signedIn();
    await session.open(await artifact(session, name, 'v1'));
    const card = main(session).getByRole('region', { name: 'Attached' });
    await card.getByText('application/spdx+json').waitFor();
    await session.check('attached');
    await session.follow(card.getByRole('link', { name: new RegExp(attached.slice(7, 15)) }));
    await session.page.waitForURL(url => url.pathname.endsWith(attached));
    const facts = main(session).getByRole('region', { name: 'Facts' });
    await facts.getByText('Attached to', { exact: true }).waitFor();
    await session.check('attached artifact');
    await session.follow(facts.getByRole('link', { name: new RegExp(digest.slice(7, 15)) }));
    await session.page.waitForURL(url => url.pathname.endsWith(digest));
    await main(session).getByRole('button', { name: 'Delete…', exact: true }).click();
    const question = session.page.getByRole('dialog');
    await question.getByText('What is attached to it goes too: application/spdx+json.').waitFor();
    await session.check('delete with attached');
    await session.follow(question.getByRole('button', { name: /^Delete this/ }));
    await main(session).getByText('This repository is empty').waitFor();
    await session.check('emptied repository');
    await session.api.ask('GET', `/v2/${full}/manifests/${attached}`, [404]);
  },

  async 'an empty index has no platforms'(session) {
    await session.api.emptyIndex(`${session.server.project}/empty-index`, 'v1');
    await session.signedIn();
    await session.open(await repository(session, 'empty-index'));
    await main(session).getByText('Empty index').first().waitFor();
    await session.open(await artifact(session, 'empty-index', 'v1'));
    await main(session).getByText('This index names no platforms').waitFor();
    await main(session).getByText(/oras manifest fetch .*\/empty-index:v1/).waitFor();
    assert.equal(await main(session).getByText(/docker pull/).count(), 0, 'docker cannot pull it');
    assert.equal(await main(session).getByText('Multi-platform').count(), 0);
    await session.check('empty index');
  },
};
