import { columnKeyFile } from "#http/server/ColumnCipher.ts"
import { rotateColumnKey } from "#http/server/rotateColumnKey.ts"
import { dataFiles } from "../DataDirectory.ts"
import { inInstance } from "./instanceDatabase.ts"
import { commandOrigin, readOptions } from "./readOptions.ts"

/** `secrets rotate`: a new key for all that is sealed in the database; the old key is gone afterwards. */
export const secretsRotate = async (args: ReadonlyArray<string>): Promise<void> => {
  const { config } = readOptions(args, [])
  const file = columnKeyFile(dataFiles(config.dataDir).jwtKey)
  const resealed = await inInstance(config, rotateColumnKey(commandOrigin(), file))
  process.stdout.write(`${resealed} secrets are sealed with a new key. Back up ${file}.\n`)
}
