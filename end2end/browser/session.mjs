// One browser session with an eye on everything that goes wrong in it: console errors, uncaught errors, violations of the
// content security policy, failed requests and answers of 400 and above that a journey did not announce.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { Api } from './api.mjs';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// The content security policies of the portal's pages, but for the nonce's value, and of the API's page: one source more or less is a failure.
const PORTAL = "default-src 'none'; script-src 'nonce' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
  + "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const API = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
  + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

export class Session {
  static async open(browser, server, look) {
    const context = await browser.newContext({
      viewport: look.viewport, colorScheme: look.colorScheme, javaScriptEnabled: look.javaScriptEnabled,
      ignoreHTTPSErrors: true, reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(10_000);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    return new Session(context, await context.newPage(), await Api.open(server), server, look);
  }

  constructor(context, page, api, server, look) {
    Object.assign(this, { context, page, api, server, look, trouble: [], announced: [] });
    page.on('console', message => {
      // Chromium reports an answer of 400 and above here too; those are judged by the response itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.trouble.push(`console: ${message.text()}`);
    });
    page.on('pageerror', error => this.trouble.push(`uncaught: ${error.message}`));
    page.on('requestfailed', request => {
      // With scripts off the browser does not fetch them.
      if (!this.scripted && request.resourceType() === 'script') return;
      // A page that is left drops what it was still loading.
      if (request.failure()?.errorText !== 'net::ERR_ABORTED') this.trouble.push(`request failed: ${request.url()} ${request.failure()?.errorText}`);
    });
    page.on('response', response => {
      if (response.status() >= 400 && !this.announced.includes(response.status())) this.trouble.push(`answer ${response.status()}: ${response.url()}`);
    });
  }

  get scripted() { return this.look.javaScriptEnabled; }

  get narrow() { return this.look.viewport.width < 640; }

  // Statuses of 400 and above that the journey provokes.
  announce(...statuses) { this.announced.push(...statuses); }

  // Opens a page of the portal and waits until it stands: with scripts, until the browser half is loaded.
  async open(path, status = 200) {
    const response = await this.page.goto(this.server.url + path, { waitUntil: this.scripted ? 'networkidle' : 'load' });
    assert.equal(response.status(), status, `status of ${path}`);
    const policy = (response.headers()['content-security-policy'] ?? '').replace(/'nonce-[\w+/=-]{16,}'/, "'nonce'");
    const expected = new URL(response.url()).pathname.startsWith('/api/') ? API : PORTAL;
    assert.equal(policy, expected, `content security policy of ${path}`);
    return response;
  }

  async settle() {
    await this.page.waitForLoadState(this.scripted ? 'networkidle' : 'load');
  }

  async signIn(principal = 'admin', password = this.server.password) {
    await this.open('/account/sign-in');
    await this.fillSignIn(principal, password);
  }

  async fillSignIn(principal = 'admin', password = this.server.password) {
    await this.page.locator('input[name=principal]').fill(principal);
    await this.page.locator('input[name=password]').fill(password);
    await this.page.getByRole('main').getByRole('button', { name: /sign in/i }).click();
    await this.settle();
  }

  async accountMenu() {
    await this.page.getByRole('button', { name: /your account/i }).click();
  }

  async clipboard() { return this.page.evaluate(() => navigator.clipboard.readText()); }

  async signedIn() {
    await this.signIn();
    await this.page.waitForURL(url => !url.pathname.startsWith('/account/sign-in'));
  }

  // What the page says of itself in every look: a title, one main part, one first heading, nothing wider than the screen, no
  // violation of the accessibility rules. Keeps a picture.
  async check(name) {
    const page = this.page;
    assert.ok((await page.title()).trim(), `${name} has a title`);
    assert.equal(await page.getByRole('main').count(), 1, `${name} has one main part`);
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, `${name} has one first heading`);
    await this.shot(name);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= this.look.viewport.width, `${name} is ${width} pixels wide on a screen of ${this.look.viewport.width}`);
    if (this.scripted) await this.checkAccess(name);
  }

  // Evaluated by the driver in the page, so that the page's own policy stays as it is.
  async checkAccess(name) {
    await this.page.evaluate(axeSource);
    const result = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const found = result.violations.map(rule => `${rule.id}: ${rule.help}\n  ${rule.nodes.map(node => `${node.target} ${node.failureSummary}`).join('\n  ')}`);
    assert.equal(found.length, 0, `accessibility of ${name}:\n${found.join('\n')}`);
  }

  async shot(name) {
    const file = `${name} ${this.look.name}`.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
    await this.page.screenshot({ path: `${this.server.screenshots}/${file}.png`, fullPage: true });
  }

  // Waits until the page says that something went wrong; fields keep an empty alert ready.
  async alert() {
    await this.page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
  }

  // A row's link in a list, whatever the list is built of.
  link(name) {
    return this.page.getByRole('main').getByRole('link', { name, exact: true }).first();
  }

  async follow(locator) {
    await locator.click();
    await this.settle();
  }

  assertClean() {
    assert.deepEqual(this.trouble, [], 'nothing goes wrong in the browser');
  }

  async close() {
    await this.api.close();
    await this.context.close();
  }
}
