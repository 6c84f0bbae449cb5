import packageJson from "../package.json" with { type: "json" }

/** The release this program was built from. */
export const programVersion: string = packageJson.version
