// What journeys need to be there before a person comes: accounts, projects and artifacts, made through the API and the registry.
import { request } from 'playwright-core';
import { createHash } from 'node:crypto';
import assert from 'node:assert/strict';

const digest = bytes => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

export class Api {
  // Asks as the administrator, in a session of its own.
  static async open(server) {
    const authorization = `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`;
    return new Api(await request.newContext({ baseURL: server.url, ignoreHTTPSErrors: true, extraHTTPHeaders: { authorization } }));
  }

  constructor(context) { this.context = context; }

  async ask(method, path, expected, options = {}) {
    const answer = await this.context.fetch(path, { method, ...options });
    assert.ok(expected.includes(answer.status()), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return answer;
  }

  // The project's id; makes it if it is not there.
  async project(name, isPublic = false) {
    const data = { project_name: name, metadata: { public: String(isPublic) } };
    await this.ask('POST', '/api/v2.0/projects', [201, 409], { data });
    return (await (await this.ask('GET', `/api/v2.0/projects/${name}`, [200])).json()).project_id;
  }

  async user(username, password) {
    const data = { username, password, email: `${username}@example.com`, realname: username };
    await this.ask('POST', '/api/v2.0/users', [201, 409], { data });
  }

  // Makes somebody a member, with a role of the API's numbers.
  async member(project, username, role) {
    const data = { role_id: role, member_user: { username } };
    await this.ask('POST', `/api/v2.0/projects/${project}/members`, [201, 409], { data });
  }

  async blob(repository, bytes) {
    const headers = { 'content-type': 'application/octet-stream' };
    await this.ask('POST', `/v2/${repository}/blobs/uploads/?digest=${digest(bytes)}`, [201], { headers, data: bytes });
    return { digest: digest(bytes), size: bytes.length };
  }

  // An artifact of one file, attached to another if that is given; gives its digest.
  async artifact(repository, tag, { artifactType, configType, config, layerType, title, annotations, subject }) {
    const manifest = {
      schemaVersion: 2, mediaType: manifestType, artifactType, annotations, subject,
      config: { mediaType: configType, ...await this.blob(repository, Buffer.from(JSON.stringify(config))) },
      layers: [{
        mediaType: layerType, ...await this.blob(repository, Buffer.from(`content of ${title}`)),
        annotations: { 'org.opencontainers.image.title': title },
      }],
    };
    return this.put(repository, tag, manifest);
  }

  // An index that names nothing.
  async emptyIndex(repository, tag) {
    return this.put(repository, tag, { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] });
  }

  // Puts a manifest under a tag, or under its digest without one; gives its digest.
  async put(repository, tag, manifest) {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const headers = { 'content-type': manifest.mediaType };
    await this.ask('PUT', `/v2/${repository}/manifests/${tag ?? digest(bytes)}`, [201], { headers, data: bytes });
    return digest(bytes);
  }

  // What a manifest says that refers to another.
  async descriptor(repository, reference) {
    const bytes = await (await this.ask('GET', `/v2/${repository}/manifests/${reference}`, [200], { headers: { accept: manifestType } })).body();
    return { mediaType: manifestType, digest: digest(bytes), size: bytes.length };
  }

  // A manifest as the registry gives it.
  async manifest(repository, reference) {
    return (await this.ask('GET', `/v2/${repository}/manifests/${reference}`, [200], { headers: { accept: manifestType } })).json();
  }

  async close() { await this.context.dispose(); }
}
