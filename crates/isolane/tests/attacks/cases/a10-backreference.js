// So is one with named groups and backreferences, in a replace.
// modes: worker context pool process
// expect: limit cpu
('x'.repeat(40) + 'y').replaceAll(/(?<one>x+x+)+\k<one>z/g, '');
