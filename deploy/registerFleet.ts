import type { ConfigValues } from "./Config.ts"
export const registerFleet = async (_config: ConfigValues): Promise<number> => 0
