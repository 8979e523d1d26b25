// Whether the modules are there already makes no difference.
const { token } = await (await fetch('/token')).json();
const [told, chosen] = document.querySelectorAll('#told, #chosen');
for (const element of document.querySelectorAll('sluice-status, sluice-release')) {
  element.token = token;
  element.addEventListener('statuschange', ({ detail }) => {
    told.textContent = `${detail.release.shortId} is ${detail.status}`;
  });
  element.addEventListener('select', ({ detail }) => {
    chosen.textContent = `${detail.name ?? detail.release.shortId} was chosen`;
  });
}
