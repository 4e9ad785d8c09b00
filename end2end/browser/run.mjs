// Runs the browser journeys against one server and prints one line per journey: `PASS name`, or `FAIL name` and why.
// Called by `cargo xtask test`, which sets BERTH_URL, BERTH_PASSWORD, BERTH_PROJECT, BERTH_DIGEST, SCREENSHOTS, CHROMIUM,
// FILTER and LOOKS (names with commas between them; none means all). Exit code 0: all passed, 1: some failed, 2: could not run.
import { chromium } from 'playwright-core';
import { Session } from './session.mjs';
import { journeys } from './journeys.mjs';

// Chromium's own background traffic is off: it could not get out of a closed network, and is not what is tested.
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];
const looks = [
  { name: 'wide light', viewport: { width: 1440, height: 900 }, colorScheme: 'light', javaScriptEnabled: true },
  { name: 'narrow dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark', javaScriptEnabled: true },
  { name: 'wide dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark', javaScriptEnabled: true },
  { name: 'narrow light', viewport: { width: 390, height: 844 }, colorScheme: 'light', javaScriptEnabled: true },
  { name: 'no script wide', viewport: { width: 1440, height: 900 }, colorScheme: 'light', javaScriptEnabled: false },
  { name: 'no script narrow', viewport: { width: 390, height: 844 }, colorScheme: 'dark', javaScriptEnabled: false },
];

const setting = name => {
  if (!process.env[name]) throw new Error(`${name} is not set`);
  return process.env[name];
};

async function main() {
  const server = {
    url: setting('BERTH_URL'), password: setting('BERTH_PASSWORD'), project: setting('BERTH_PROJECT'),
    digest: setting('BERTH_DIGEST'), screenshots: setting('SCREENSHOTS'),
  };
  const browser = await chromium.launch({ executablePath: setting('CHROMIUM'), args: flags });
  let failed = 0;
  const wanted = (process.env.LOOKS ?? '').split(',').filter(Boolean);
  for (const look of looks) {
    if (wanted.length > 0 && !wanted.includes(look.name)) continue;
    for (const [name, journey] of Object.entries(journeys)) {
      const full = `${look.name}: ${name}`;
      if (!full.includes(process.env.FILTER ?? '')) continue;
      const session = await Session.open(browser, server, look);
      try {
        await journey(session);
        session.assertClean();
        console.log(`PASS ${full}`);
      } catch (error) {
        failed += 1;
        await session.shot(`failed ${name}`).catch(() => {});
        console.log(`FAIL ${full}\n${error.stack ?? error}\n${session.trouble.join('\n')}`);
      } finally {
        await session.close();
      }
    }
  }
  await browser.close();
  return failed === 0 ? 0 : 1;
}

process.exit(await main().catch(error => {
  console.log(error.stack ?? error);
  return 2;
}));
