// Nothing else, so that no chunk imports the entry: Django may serve it under a second name. See vite.config.ts.
import "./styles.css";
import { startPage } from "./start";

startPage();
