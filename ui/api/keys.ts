/** Names of what is kept in the query client; the longer ones fall with the shorter ones they begin with. */
export const keys = {
  fleet: ["fleet"],
  rootCertificate: ["root-certificate"],
  hosts: ["hosts"],
  host: (id: string) => ["host", id],
  packages: (id: string) => ["host-packages", id],
  patches: (id: string) => ["host-patches", id],
  reasons: (id: string) => ["host-reasons", id],
  transitions: (id: string) => ["host-transitions", id],
  hostJobs: (id: string) => ["host-jobs", id],
  groups: ["groups"],
  group: (id: string) => ["groups", id],
  holds: ["holds"],
  hostServices: (id: string) => ["host-services", id],
  windows: ["windows"],
  settings: ["settings"],
  discovery: ["discovery"],
  enrolments: ["enrolments"],
  jobs: ["jobs"],
  job: (id: string) => ["job", id],
  jobHosts: (id: string) => ["job-hosts", id]
} as const
