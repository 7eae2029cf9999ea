/** The start of the page. */
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/table.css";
import "./styles/views.css";
import "./styles/task.css";
import { render } from "preact";
import { startLive } from "./api/store";
import { App } from "./app";
import { loadConfig } from "./config";
import { startClock } from "./lib/clock";
import { startTheme } from "./lib/theme";
import { listenToHistory } from "./lib/url";

startTheme();
startClock();
listenToHistory();
startLive();
loadConfig();
const root = document.getElementById("app");
if (root) render(<App />, root);
