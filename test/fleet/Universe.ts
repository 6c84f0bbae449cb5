import { readFileSync } from "node:fs"

export type Distro = "ubuntu-24.04" | "ubuntu-22.04" | "debian-12" | "debian-13" | "rocky-9"

/** One package as a distribution ships it, before any update. */
export interface BasePackage {
  readonly name: string
  readonly version: string
  readonly arch: string
  readonly sizeKb: number
  readonly description: string
}

export interface DistroFacts {
  readonly backend: "apt" | "dnf"
  readonly os: string
  readonly osVersion: string
  readonly kernel: string
  /** The release word of the archive, shown by apt in front of the version. */
  readonly suite: string
  readonly packages: ReadonlyArray<BasePackage>
}

const read = (file: string): ReadonlyArray<BasePackage> =>
  readFileSync(new URL(`./universe/${file}`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", version = "", arch = "", size = "0", description = ""] = line.split("\t")
      return { name, version, arch, sizeKb: Number(size), description }
    })

/** What each release really ships of the packages an operator knows by heart. */
const shipped: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ubuntu-24.04": {
    openssl: "3.0.13-0ubuntu3.1",
    libssl3: "3.0.13-0ubuntu3.1",
    curl: "8.5.0-2ubuntu10.4",
    libcurl4: "8.5.0-2ubuntu10.4",
    nginx: "1.24.0-2ubuntu7",
    "nginx-common": "1.24.0-2ubuntu7",
    bash: "5.2.21-2ubuntu4",
    sudo: "1.9.15p5-3ubuntu5",
    "openssh-server": "1:9.6p1-3ubuntu13.4",
    "openssh-client": "1:9.6p1-3ubuntu13.4",
    "openssh-sftp-server": "1:9.6p1-3ubuntu13.4",
    systemd: "255.4-1ubuntu8.4",
    libsystemd0: "255.4-1ubuntu8.4",
    libc6: "2.39-0ubuntu8.3",
    "libc-bin": "2.39-0ubuntu8.3",
    tzdata: "2024a-3ubuntu1.1",
    libxml2: "2.9.14+dfsg-1.3ubuntu3",
    python3: "3.12.3-0ubuntu2",
    rsync: "3.2.7-1ubuntu1",
    git: "1:2.43.0-1ubuntu7.1",
    "ca-certificates": "20240203",
    "linux-image-amd64": "6.8.0-45.45"
  },
  "ubuntu-22.04": {
    openssl: "3.0.2-0ubuntu1.15",
    libssl3: "3.0.2-0ubuntu1.15",
    curl: "7.81.0-1ubuntu1.16",
    libcurl4: "7.81.0-1ubuntu1.16",
    nginx: "1.18.0-6ubuntu14.4",
    "nginx-common": "1.18.0-6ubuntu14.4",
    bash: "5.1-6ubuntu1.1",
    sudo: "1.9.9-1ubuntu2.4",
    "openssh-server": "1:8.9p1-3ubuntu0.10",
    "openssh-client": "1:8.9p1-3ubuntu0.10",
    "openssh-sftp-server": "1:8.9p1-3ubuntu0.10",
    systemd: "249.11-0ubuntu3.12",
    libsystemd0: "249.11-0ubuntu3.12",
    libc6: "2.35-0ubuntu3.8",
    "libc-bin": "2.35-0ubuntu3.8",
    tzdata: "2024a-0ubuntu0.22.04.1",
    libxml2: "2.9.13+dfsg-1ubuntu0.4",
    python3: "3.10.6-1~22.04.1",
    rsync: "3.2.7-0ubuntu0.22.04.2",
    git: "1:2.34.1-1ubuntu1.11",
    "linux-image-amd64": "5.15.0.119.119"
  },
  "debian-13": {
    openssl: "3.5.1-1",
    libssl3: "3.5.1-1",
    curl: "8.14.1-2",
    libcurl4: "8.14.1-2",
    nginx: "1.26.3-3",
    "nginx-common": "1.26.3-3",
    bash: "5.2.37-2",
    sudo: "1.9.16p2-3",
    "openssh-server": "1:10.0p1-7",
    "openssh-client": "1:10.0p1-7",
    "openssh-sftp-server": "1:10.0p1-7",
    systemd: "257.7-1",
    libsystemd0: "257.7-1",
    libc6: "2.41-12",
    "libc-bin": "2.41-12",
    tzdata: "2025b-4",
    libxml2: "2.12.7+dfsg+really2.9.14-2.1",
    python3: "3.13.5-1",
    rsync: "3.4.1-5",
    git: "1:2.47.2-0.2",
    "linux-image-amd64": "6.12.41-1"
  }
}

/** Package names that later releases changed. */
const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ubuntu-24.04": { libssl3: "libssl3t64", libcurl4: "libcurl4t64", "linux-image-amd64": "linux-image-generic" },
  "ubuntu-22.04": { "linux-image-amd64": "linux-image-generic" },
  "debian-13": { libssl3: "libssl3t64", libcurl4: "libcurl4t64" }
}

const dropped = /^linux-image-6\./

const debs = (distro: Distro, rebuilt: string): ReadonlyArray<BasePackage> =>
  read("deb.tsv")
    .filter((base) => distro === "debian-12" || !dropped.test(base.name))
    .map((base) => ({
      ...base,
      name: renamed[distro]?.[base.name] ?? base.name,
      version: shipped[distro]?.[base.name] ?? (base.version.includes("-") ? base.version + rebuilt : base.version)
    }))

const load: Readonly<Record<Distro, () => DistroFacts>> = {
  "ubuntu-24.04": () => ({
    backend: "apt",
    os: "Ubuntu",
    osVersion: "24.04.1 LTS (Noble Numbat)",
    kernel: "6.8.0-45-generic",
    suite: "noble-updates",
    packages: debs("ubuntu-24.04", "ubuntu1")
  }),
  "ubuntu-22.04": () => ({
    backend: "apt",
    os: "Ubuntu",
    osVersion: "22.04.5 LTS (Jammy Jellyfish)",
    kernel: "5.15.0-119-generic",
    suite: "jammy-updates",
    packages: debs("ubuntu-22.04", "build1")
  }),
  "debian-12": () => ({
    backend: "apt",
    os: "Debian GNU/Linux",
    osVersion: "12",
    kernel: "6.1.0-23-amd64",
    suite: "stable-security",
    packages: debs("debian-12", "")
  }),
  "debian-13": () => ({
    backend: "apt",
    os: "Debian GNU/Linux",
    osVersion: "13",
    kernel: "6.12.41-amd64",
    suite: "stable-security",
    packages: debs("debian-13", "+b1")
  }),
  "rocky-9": () => ({
    backend: "dnf",
    os: "Rocky Linux",
    osVersion: "9.4",
    kernel: "5.14.0-427.13.1.el9_4.x86_64",
    suite: "baseos",
    packages: read("rpm.tsv")
  })
}

const loaded = new Map<Distro, DistroFacts>()

/** The facts of a distribution, read once and shared by every host that runs it. */
export const distroFacts = (distro: Distro): DistroFacts => {
  const known = loaded.get(distro)
  if (known !== undefined) return known
  const facts = load[distro]()
  loaded.set(distro, facts)
  return facts
}

/** The next version a distribution would publish, higher than the given one under its own ordering. */
export const nextVersion = (distro: Distro, version: string): string => {
  const grow = (text: string, mark: RegExp, first: string) => {
    const match = mark.exec(text)
    return match === null ? text + first : text.slice(0, match.index) + match[1] + String(Number(match[2]) + 1)
  }
  switch (distro) {
    case "debian-12":
      return grow(version, /(\+deb12u)(\d+)$/, "+deb12u1")
    case "debian-13":
      return grow(version, /(\+deb13u)(\d+)$/, "+deb13u1")
    case "rocky-9": {
      const match = /^(.*-)(\d+)(.*)$/.exec(version)
      return match === null ? `${version}.1` : `${match[1]}${Number(match[2]) + 1}${match[3]}`
    }
    default:
      return version.includes("ubuntu") ? grow(version, /(ubuntu\d+\.)(\d+)$/, ".1") : `${version}ubuntu0.1`
  }
}

/** Packages after whose update a real host asks for a reboot. */
export const needsReboot = (name: string): boolean =>
  /^(linux-image|linux-base$|kernel($|-core)|libc6$|glibc$|systemd$|dbus($|-broker)|intel-microcode|microcode_ctl|linux-firmware)/.test(
    name
  )

/** Packages that seeded patch lists take first, so that a fleet looks like one. */
export const looksUrgent = (name: string): boolean =>
  /^(openssl|libssl|curl|libcurl|linux-image|kernel|openssh|sudo|nginx|httpd|libxml2|libc6|glibc|git$|rsync)/.test(name)
