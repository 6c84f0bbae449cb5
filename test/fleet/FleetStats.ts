/** What a fleet has seen since it started or was told to count anew. */
export interface FleetStats {
  readonly hosts: number
  readonly open_connections: number
  readonly peak_connections: number
  /** The most hosts whose packages were being changed at once, over all fleets of this process. */
  readonly peak_changing: number
  readonly handshakes: number
  readonly resumed: number
  readonly failed_handshakes: number
  readonly calls: number
}
