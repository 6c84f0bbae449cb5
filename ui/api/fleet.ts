/** The fleet in numbers, and the certificate that everything here rests on. */
import type { FleetStatus } from "#core/Fleet.ts"
import { getJson, getText } from "./client.ts"
import { readPemCertificate, type CertificateFacts } from "./readPemCertificate.ts"

export const readFleet = (signal?: AbortSignal): Promise<FleetStatus> => getJson("/api/v1/status/fleet", { signal })

export const ROOT_CERTIFICATE_PATH = "/api/v1/ca/root.crt"

export const readRootCertificate = async (signal?: AbortSignal): Promise<CertificateFacts> =>
  readPemCertificate(await getText(ROOT_CERTIFICATE_PATH, { signal }))
