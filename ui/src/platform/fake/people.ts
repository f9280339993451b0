import type { Me } from "../../bindings/Me";
import type { Patient } from "../../bindings/Patient";

export const ME: Me = { id: "p-osei", name: "Dr. Amara Osei", role: "provider", clinic: "c-riverside" };
export const COLLEAGUE: Me = {
  id: "p-lindqvist",
  name: "Dr. Jonas Lindqvist",
  role: "provider",
  clinic: ME.clinic,
};
export const SYSTEM = { id: "system", name: "Riverside Clinic", role: "system" } as const;

const patient = (id: string, name: string, born: string | null): Patient => ({ id: `u-${id}`, name, born });

export const MARTHA = patient("martha", "Martha Ellison", "1957-03-12");
export const ANDRE = patient("andre", "Andre Okafor", "1992-08-30");
export const LUCIA = patient("lucia", "Lucía Fernández", "1998-01-19");
export const TOMASZ = patient("tomasz", "Tomasz Wójcik", "1975-06-02");
export const GRACE = patient("grace", "Grace Kim", "2019-05-23");
export const SAMUEL = patient("samuel", "Samuel Adeyemi", "1981-02-11");
export const INES = patient("ines", "Ines Moreau", "1964-09-07");
export const HANA = patient("hana", "Hana Sato", "1987-04-28");
export const WALTER = patient("walter", "Walter Hughes", "1951-10-17");
export const YUSUF = patient("yusuf", "يوسف الخطيب", "1969-12-01");
export const OLIVER = patient("oliver", "Oliver Brandt", "2025-04-03");
export const PRUDENCE = patient("prudence", "Prudence Anne Featherstonehaugh-Cholmondeley", "1948-07-15");
export const NOOR = patient("noor", "Noor van Dijk", null);
