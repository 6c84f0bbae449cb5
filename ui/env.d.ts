/// <reference types="vite/client" />

/** Version of the release this console was built with. */
declare const __CONSOLE_VERSION__: string
