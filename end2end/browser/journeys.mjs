// What a person does in the portal, by what they see: roles, labels and texts. Each journey gets a fresh session and runs in
// every look, with and without scripts; it must not depend on another journey.
import { account } from './account.mjs';
import { apipage } from './apipage.mjs';
import { artifacts } from './artifacts.mjs';
import { lost } from './lost.mjs';
import { projects } from './projects.mjs';
import { removal } from './removal.mjs';
import { search } from './search.mjs';

export const journeys = { ...account, ...projects, ...artifacts, ...search, ...removal, ...lost, ...apipage };
