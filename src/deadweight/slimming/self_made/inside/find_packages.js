// Reads an object, folders of packages -> names, and writes those that are not found, as [folder, name]. Loads none of them.
// What can be imported, but not required, says so, and is there.
const fs = require('fs');

function isFound(folder, name) {
  try {
    require.resolve(name, { paths: [folder] }); // Node.js 8.9
    return true;
  } catch (error) {
    return error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const missing = [];
for (const folder of Object.keys(asked)) {
  for (const name of asked[folder]) {
    if (!isFound(folder, name)) missing.push([folder, name]);
  }
}
process.stdout.write(JSON.stringify(missing));
