// What a person does in the portal, by what they see: roles, labels and texts. Each journey gets a fresh session and runs in
// every look, with and without scripts; it must not depend on another journey.
import { account } from './account.mjs';
import { artifacts } from './artifacts.mjs';
import { lost } from './lost.mjs';
import { projects } from './projects.mjs';

export const journeys = { ...account, ...projects, ...artifacts, ...lost };
