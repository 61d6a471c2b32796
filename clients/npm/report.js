// Prints what mocha has found, and fails when tests fail that are not expected to: node report.js RESULT.json EXPECTED...
const [file, ...expected] = process.argv.slice(2);
const {stats, failures} = JSON.parse(require('fs').readFileSync(file));
for (const test of failures) {
  const known = expected.includes(test.fullTitle);
  console.log(`    ${known ? 'fails as expected' : 'FAILS'}: ${test.fullTitle}: ${test.err.message}`);
  if (!known) process.exitCode = 1;
}
console.log(`    own tests       ${stats.passes} of ${stats.passes + stats.failures}`);
