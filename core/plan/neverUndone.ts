/** Packages of which an older version is never put back: without them, or with half of them, the host may not come up again. */
import { matchesPattern } from "../Hold.ts"

/** Patterns in which `*` stands for any characters. */
const kernels: ReadonlyArray<string> = [
  "linux-image*",
  "linux-headers*",
  "linux-modules*",
  "linux-generic*",
  "linux-base*",
  "linux-firmware*",
  "firmware-*",
  "kernel",
  "kernel-*",
  "grub*",
  "shim*",
  "intel-microcode",
  "amd64-microcode"
]

const essential: ReadonlyArray<string> = [
  "dpkg",
  "apt",
  "libapt-pkg*",
  "libc6",
  "libc-bin",
  "base-files",
  "base-passwd",
  "bash",
  "bsdutils",
  "coreutils",
  "dash",
  "debianutils",
  "diffutils",
  "findutils",
  "grep",
  "gzip",
  "hostname",
  "init",
  "init-system-helpers",
  "login",
  "mount",
  "ncurses-base",
  "ncurses-bin",
  "perl-base",
  "sed",
  "sysvinit-utils",
  "systemd",
  "systemd-sysv",
  "tar",
  "util-linux",
  "glibc",
  "glibc-*",
  "rpm",
  "rpm-libs",
  "dnf",
  "libdnf*",
  "yum",
  "filesystem",
  "setup",
  "musl",
  "apk-tools",
  "alpine-baselayout*",
  "busybox",
  "pacman",
  "linux-patch-api"
]

const matches = (patterns: ReadonlyArray<string>, name: string): boolean =>
  patterns.some((pattern) => matchesPattern(pattern, name))

/** Which of the two kinds the package is; null for one that may go back. */
export const neverUndone = (name: string): "kernel" | "essential" | null =>
  matches(kernels, name) ? "kernel" : matches(essential, name) ? "essential" : null
