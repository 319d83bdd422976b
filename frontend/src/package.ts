// The entry of the npm package: its stylesheet beside what index.ts exports, whose types need none.
import "./styles.css";

export * from "./index";
