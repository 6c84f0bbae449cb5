import { render } from "solid-js/web"
import "./styles/layers.css"
import "./styles/tokens.css"
import "./styles/fonts.css"
import "./styles/base.css"
import "./styles/frame.css"
import "./styles/content.css"
import "./styles/forms.css"
import "./styles/overlays.css"
import "./styles/responsive.css"
import { App } from "./App.tsx"

const root = document.getElementById("root")
if (root !== null) render(() => <App />, root)
