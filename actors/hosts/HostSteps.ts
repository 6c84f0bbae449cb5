/** The host machine that runs here: the production one, unless a test or the development start brings shorter times. */
import { Context } from "effect"
import { type HostStep, hostStep } from "#machines/step.ts"

export const HostSteps = Context.Reference<HostStep>("patch-manager/actors/HostSteps", { defaultValue: () => hostStep })
