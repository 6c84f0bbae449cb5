/** Zone, look and account; loaded after the page itself. */
import { useNavigate } from "@solidjs/router"
import type { JSX } from "solid-js"
import { roleWords } from "../account/roleWords.ts"
import { signOut, user } from "../api/session.ts"
import { Icon } from "../kit/Icon.tsx"
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "../kit/Menu.tsx"
import { prefer, preferences } from "./preferences.ts"

const initials = (name: string): string => {
  const words = name.split(/[\s._-]+/).filter((word) => word !== "")
  const letters = words.length > 1 ? `${words[0]?.[0] ?? ""}${words.at(-1)?.[0] ?? ""}` : (words[0] ?? "?").slice(0, 2)
  return letters.toUpperCase()
}

const zoneName = (): string => {
  if (preferences.zone === "utc") return "UTC"
  const part = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
    .formatToParts()
    .find(({ type }) => type === "timeZoneName")
  return part?.value ?? "Local"
}

export default function AccountMenus(): JSX.Element {
  const navigate = useNavigate()
  const name = (): string => user()?.display_name || (user()?.username ?? "")
  return (
    <>
      <Menu
        label={`Time zone, ${zoneName()}`}
        class="iconbtn tz"
        face={
          <>
            {zoneName()} <Icon name="down" class="i14" />
          </>
        }
      >
        <MenuChoice
          title="Show times in"
          value={preferences.zone}
          choices={[
            { value: "utc", words: "UTC" },
            { value: "local", words: `Local (${Intl.DateTimeFormat().resolvedOptions().timeZone})` }
          ]}
          onChoose={(zone) => prefer("zone", zone)}
        />
      </Menu>
      <Menu label="Theme and density" class="iconbtn disp" face={<Icon name="theme" />}>
        <MenuChoice
          title="Theme"
          value={preferences.theme}
          choices={[
            { value: "system", words: "As the system" },
            { value: "light", words: "Light" },
            { value: "dark", words: "Dark" }
          ]}
          onChoose={(theme) => prefer("theme", theme)}
        />
        <MenuSeparator />
        <MenuChoice
          title="Rows"
          value={preferences.density}
          choices={[
            { value: "compact", words: "Compact" },
            { value: "default", words: "Default" },
            { value: "cosy", words: "Cosy" }
          ]}
          onChoose={(density) => prefer("density", density)}
        />
        <MenuSeparator />
        <MenuChoice
          title="Single-key shortcuts"
          value={preferences.keys}
          choices={[
            { value: "on", words: "On" },
            { value: "off", words: "Off" }
          ]}
          onChoose={(keys) => prefer("keys", keys)}
        />
      </Menu>
      <Menu label={`${initials(name())}, account of ${name()}`} class="avatar" face={initials(name())}>
        <div class="who">
          <b>{name()}</b>
          <span class="muted sm">{roleWords[user()?.role ?? "auditor"]}</span>
        </div>
        <MenuSeparator />
        <MenuItem icon="shield" onSelect={() => navigate("/account")}>
          Your account
        </MenuItem>
        <MenuItem icon="undo" onSelect={() => void signOut()}>
          Sign out
        </MenuItem>
      </Menu>
    </>
  )
}
