import { render } from "solid-js/web"
import "./styles/layers.css"
import "./styles/tokens.css"
import "./styles/fonts.css"
import "./styles/base.css"
import "./styles/ui.css"
import { App } from "./App.tsx"

const root = document.getElementById("root")
if (root !== null) render(() => <App />, root)
