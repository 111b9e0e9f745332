// The audits of graphql-http against the server of the first argument: what fails, and how many pass.
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2], fetchFn: fetch });
for (const { id, name, reason } of results.filter(({ status }) => status !== 'ok')) console.log(id, name, reason);
const passed = results.filter(({ status }) => status === 'ok').length;
console.log(`graphql-http: ${passed}/${results.length} audits passed`);
process.exitCode = passed === results.length ? 0 : 1;
